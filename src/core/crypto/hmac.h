// HMAC (RFC 2104) with keyed states that can be kept, over the two hashes of the suites.
//
// SHA-256 is OpenSSL's compression function with the buffering and padding here: a message of an HKDF is one
// or two blocks, and libcrypto's own handling of them took as long as hashing them. SHA256_Transform is
// deprecated in OpenSSL 3 but runs the same assembly. SM3 has no such public call and goes through reused EVP
// contexts.
#pragma once

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "core/base/bytes.h"
#include "core/crypto/engine.h"

namespace visage::crypto {

// The chaining values after a key's two padded blocks: what a key becomes once for all of its messages.
struct HmacSha256Key {
  SHA_LONG inner[8], outer[8];
};

class HmacSha256 {
 public:
  explicit HmacSha256(Bytes key);
  explicit HmacSha256(const HmacSha256Key& key);
  ~HmacSha256();
  HmacSha256(const HmacSha256&) = delete;
  HmacSha256& operator=(const HmacSha256&) = delete;
  void update(Bytes bytes);
  // Ends this message and makes the object ready for another with the same key.
  void finish(uint8_t out[kDigestSize]);

  // For messages to come under the same key.
  const HmacSha256Key& key() const { return key_; }

 private:
  void start();
  void pad(uint64_t message_size);
  void write_digest(uint8_t* out) const;

  HmacSha256Key key_;
  SHA256_CTX running_;  // only its chaining value is used
  uint8_t block_[SHA256_CBLOCK];
  size_t filled_;
  uint64_t size_;  // bytes before block_, the key's block included
};

// Four contexts that Engine owns and lends: the keyed inner and outer states, the running one, and a plain
// one.
struct Sm3Contexts {
  EVP_MD* sm3 = nullptr;
  EVP_MD_CTX* inner_keyed = nullptr;
  EVP_MD_CTX* outer_keyed = nullptr;
  EVP_MD_CTX* running = nullptr;
};

class HmacSm3 {
 public:
  HmacSm3(Sm3Contexts& contexts, Bytes key);
  void update(Bytes bytes);
  void finish(uint8_t out[kDigestSize]);
  bool ok() const { return ok_; }

 private:
  Sm3Contexts& contexts_;
  bool ok_ = true;
};

}  // namespace visage::crypto
