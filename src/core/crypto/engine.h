// The cryptographic suites, over OpenSSL's libcrypto.
//
// Suite 1, aes-256-gcm:        AES-256-GCM,  HKDF-SHA256 (RFC 5869), AES-256-CTR keystream.
// Suite 2, sm4-ctr-hmac-sm3:   SM4-CTR then HMAC-SM3 over (length of AAD ‖ AAD ‖ nonce ‖ ciphertext),
// HKDF-SM3,
//                              SM4-CTR keystream (GB/T 32905, GB/T 32907; GB/T 17964 for the mode).
//
// An Engine owns its OpenSSL contexts and reuses them, so no call allocates. It is not thread-safe: one
// engine a thread (a PostgreSQL backend is one).
#pragma once

#include <string_view>

#include "core/base/bytes.h"
#include "core/base/status.h"

namespace visage::crypto {

enum class Suite : uint8_t { kAes256Gcm = 1, kSm4CtrHmacSm3 = 2 };

inline constexpr size_t kNonceSize = 12;
inline constexpr size_t kMaxKeySize = 48;  // suite 2: 16 bytes of SM4 key, then 32 of MAC key
inline constexpr size_t kMaxTagSize = 32;
inline constexpr size_t kSeedSize = 32;
inline constexpr size_t kDigestSize = 32;  // SHA-256 and SM3 alike

constexpr bool known_suite(uint8_t value) {
  return value == 1 || value == 2;
}
constexpr size_t key_size(Suite suite) {
  return suite == Suite::kAes256Gcm ? 32 : 48;
}
constexpr size_t tag_size(Suite suite) {
  return suite == Suite::kAes256Gcm ? 16 : 32;
}
constexpr std::string_view suite_name(Suite suite) {
  return suite == Suite::kAes256Gcm ? "aes-256-gcm" : "sm4-ctr-hmac-sm3";
}

class Engine {
 public:
  // Null when libcrypto lacks an algorithm (a FIPS-only provider has no SM4) or memory is short.
  static Engine* create();
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Authenticated encryption. `key` has key_size(suite) bytes, `nonce` kNonceSize, `out` plaintext +
  // tag_size.
  Status seal(Suite suite, Bytes key, Bytes nonce, Bytes aad, Bytes plaintext, MutableBytes out);
  // kAuthenticationFailed when anything differs; `out` (sealed - tag_size bytes) is then wiped.
  Status open(Suite suite, Bytes key, Bytes nonce, Bytes aad, Bytes sealed, MutableBytes out);
  // The same for a key that opens one value after another: its schedule is kept, until another key comes here
  // or forget_keys().
  Status open_with_kept_key(Suite suite, Bytes key, Bytes nonce, Bytes aad, Bytes sealed, MutableBytes out);

  // RFC 5869 with the suite's hash, at most 255 blocks. IKM may come in two parts (a root and a subject key),
  // read as one.
  Status hkdf(Suite suite, Bytes ikm1, Bytes ikm2, Bytes salt, Bytes info, MutableBytes out);

  // CTR keystream of a one-time seed of kSeedSize bytes; used for sign masks.
  Status keystream(Suite suite, Bytes seed, MutableBytes out);

  // The suite's hash.
  Status digest(Suite suite, Bytes bytes, MutableBytes out);
  // HMAC with the suite's hash; `parts` are read as one message.
  Status hmac(Suite suite, Bytes key, std::span<const Bytes> parts, MutableBytes out);

  // Overwrites the key schedules that the contexts keep between calls. Call it when a piece of work is done:
  // what a core dump could hold is then a key of zeros.
  void forget_keys();

  Status random(MutableBytes out);
  // A random (version 4) identifier.
  Status random_uuid(Uuid& out);
  // Random, but led by the time (RFC 9562, version 7; microseconds since 1970), so that an index of them
  // grows at one end.
  Status ordered_uuid(int64_t now, Uuid& out);

 private:
  struct State;
  explicit Engine(State* state) : state_(state) {}
  State* state_;
};

// SHA-256, whatever the suite: for identifiers that must not depend on it (model digest, image digest).
void sha256(Bytes bytes, uint8_t out[kDigestSize]);
// Of `first` ‖ `second`.
void sha256(Bytes first, Bytes second, uint8_t out[kDigestSize]);

}  // namespace visage::crypto
