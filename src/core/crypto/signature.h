// Ed25519 (RFC 8032), for tree heads.
#pragma once

#include "core/base/bytes.h"
#include "core/base/secret.h"
#include "core/base/status.h"

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
// kAuthenticationFailed when the signature does not hold.
Status verify(const VerifyingKey& key, Bytes message, const uint8_t signature[kEd25519SignatureSize]);

}  // namespace visage::crypto
