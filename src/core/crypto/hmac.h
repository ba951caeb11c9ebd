// HMAC (RFC 2104) with copyable key states, over the two hashes of the suites.
//
// SHA-256 goes through OpenSSL's SHA256_* calls rather than EVP: a SHA256_CTX is plain memory, so a keyed
// state is two structures and nothing allocates. The calls are deprecated in OpenSSL 3 but run the same
// assembly. SM3 has no such public calls and goes through reused EVP contexts.
#pragma once

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "core/base/bytes.h"
#include "core/crypto/engine.h"

namespace visage::crypto {

class HmacSha256 {
 public:
  explicit HmacSha256(Bytes key);
  ~HmacSha256();
  void update(Bytes bytes);
  // Ends this message and makes the object ready for another with the same key.
  void finish(uint8_t out[kDigestSize]);

 private:
  SHA256_CTX inner_keyed_, outer_keyed_, running_;
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
