// Ed25519 (RFC 8032), for tree heads.
#pragma once

#include "core/base/bytes.h"
#include "core/base/secret.h"
#include "core/base/status.h"

struct evp_pkey_st;  // libcrypto's EVP_PKEY

namespace visage::crypto {

inline constexpr size_t kEd25519Size = 32;  // of a seed and of a public key
inline constexpr size_t kEd25519SignatureSize = 64;

// Plain memory, so that it may lie where an error leaves by longjmp; its owner wipes it.
struct SigningKey {
  uint8_t seed[kEd25519Size];
};
struct VerifyingKey {
  uint8_t bytes[kEd25519Size];
};

Status public_key(const SigningKey& key, VerifyingKey& out);
Status sign(const SigningKey& key, Bytes message, uint8_t out[kEd25519SignatureSize]);

// A key kept for many signatures: making libcrypto's object of a seed takes as long as the signature.
// Libcrypto holds it in memory that is locked, not dumped and wiped, and the process's other keys stay where
// they are.
class Signer {
 public:
  Signer() = default;
  ~Signer() { drop(); }
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;

  // In place of the key held before. Where memory cannot be locked the key is not kept but for one signature.
  Status hold(const SigningKey& key);
  Status sign(Bytes message, uint8_t out[kEd25519SignatureSize]);
  bool holds_key() const { return key_ != nullptr; }
  void drop();

 private:
  evp_pkey_st* key_ = nullptr;
  bool keep_ = false;
};

// kAuthenticationFailed when the signature does not hold.
Status verify(const VerifyingKey& key, Bytes message, const uint8_t signature[kEd25519SignatureSize]);

}  // namespace visage::crypto
