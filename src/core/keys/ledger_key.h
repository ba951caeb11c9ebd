// Keys of the audit: the ledger's signing key and the key that hashes addresses, devices and attempt
// counters.
//
// Both are HKDF of an envelope root under a label of their own; see docs/formats.md.
#pragma once

#include "core/base/bytes.h"
#include "core/crypto/signature.h"
#include "core/keys/roots.h"

namespace visage::keys {

// kKeyMissing when the root version is not loaded.
Status derive_ledger_key(crypto::Engine& engine, const KeyRing& ring, uint32_t version,
                         crypto::SigningKey& out);

inline constexpr size_t kKeyedHashSize = 16;

// What a keyed hash is of; part of its input, so that equal values of two kinds differ.
enum class HashedKind : uint8_t {
  kSubject = 1,
  kSource = 2,
  kAddress = 3,
  kDevice = 4,
  kErased = 5,
  kFactor = 6,    // subject's keyed hash ‖ label of the kind of factor
  kUsedCode = 7,  // factor ‖ u64 step
  kRequest = 8,   // arguments of a call that names a business id
  kVouched = 9,   // digest of the values, or of the photo, that an authority vouched for
};

// HMAC of (kind, institution, value) under the root of the *oldest* loaded version, first 16 bytes: a name
// for a value that only the holder of the key can make or test. The oldest, because names must stay the same
// when roots are added.
Status keyed_hash(crypto::Engine& engine, const KeyRing& ring, HashedKind kind, uint32_t institution,
                  Bytes value, uint8_t out[kKeyedHashSize]);
// The same under a root of one's choice; kKeyMissing when it is not loaded. For lists that say which it was.
Status keyed_hash_under(crypto::Engine& engine, const KeyRing& ring, uint32_t version, HashedKind kind,
                        uint32_t institution, Bytes value, uint8_t out[kKeyedHashSize]);

}  // namespace visage::keys
