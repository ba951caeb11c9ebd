// The reference (T/IIFAA 3001.1 3.6; ISO/IEC 24745 PI and AD): scheme RFR-1.
//
// A feature is rotated under a seed that needs the transform root and the subject's key, reduced to the signs
// of `code_bits` coordinates, and sealed under a key that needs the envelope root and the subject's key.
// Feature, rotated feature and magnitudes are never stored. The layout is docs/formats.md "reference".
#pragma once

#include "core/base/secret.h"
#include "core/crypto/engine.h"
#include "core/keys/subject_key.h"
#include "core/probe/probe.h"
#include "core/reference/rotation.h"

namespace visage::reference {

inline constexpr uint8_t kSchemeRfr1 = 1;
inline constexpr size_t kDefaultCodeBits = 1024;
inline constexpr size_t kSaltSize = 32;
inline constexpr size_t kModelDigestSize = probe::kModelDigestSize;
// Bytes of the masks' keystream that go into the envelope's AAD: through them a wrong transform root fails to
// open. Without, every comparison would quietly score about zero.
inline constexpr size_t kConfirmationSize = 16;
inline constexpr size_t kHeaderSize = 120;
inline constexpr size_t kMaxSize = kHeaderSize + kMaxCodeBits / 8 + crypto::kMaxTagSize;

constexpr bool allowed_code_bits(size_t bits) {
  return bits == 512 || bits == 1024 || bits == 2048;
}

// The authenticated header; every field is in the AAD.
struct Header {
  crypto::Suite suite;
  uint8_t scheme;
  uint16_t code_bits;
  uint16_t dimension;
  uint32_t key_version;        // envelope root
  uint32_t transform_version;  // transform root
  keys::Owner owner;
  uint32_t generation;
  Uuid reference;
  uint8_t model_digest[kModelDigestSize];  // first half of SHA-256 of the model id
  uint8_t salt[kSaltSize];
  uint8_t nonce[crypto::kNonceSize];
};

constexpr size_t sealed_size(crypto::Suite suite, size_t code_bits) {
  return kHeaderSize + code_bits / 8 + crypto::tag_size(suite);
}

// Makes a reference from a probe's contents under the newest roots. The caller sets header.suite, scheme,
// code_bits, owner and generation; the rest is filled in. `out` has sealed_size() bytes.
Status protect(crypto::Engine& engine, const keys::KeyRing& ring, const keys::SubjectKey& subject_key,
               const probe::Contents& contents, Header& header, MutableBytes out);

// The next generation of a reference, from another capture: header.reference stays and header.generation is
// the one that is made. Salt, and with it the rotation, are as new as protect()'s.
Status renew(crypto::Engine& engine, const keys::KeyRing& ring, const keys::SubjectKey& subject_key,
             const probe::Contents& contents, Header& header, MutableBytes out);

// Structure only; needs no key. Input is hostile.
Status parse(Bytes envelope, Header& header);

// The sign code and the sign masks of an opened reference. Secrets: hold it in Secret<Opened>.
struct Opened {
  uint8_t code[kMaxCodeBits / 8];
  uint8_t masks[kMaxMaskSize + kConfirmationSize];  // the confirmation follows the masks that are used
};

// A reference as it is stored: what the row says of it, and the envelope that must say the same.
struct Stored {
  Uuid id;
  uint32_t generation;
  Bytes envelope;
};

// parse(), then open under `owner`'s key. An envelope of another owner, row or generation is refused before
// any key is used: moved, or put back from an older backup [8.2.4e]. It opens only under the right envelope
// root and the right transform root.
Status open(crypto::Engine& engine, const keys::KeyRing& ring, const keys::Owner& owner,
            const keys::SubjectKey& subject_key, const Stored& stored, Header& header, Opened& out);

// Seals an opened reference anew under the newest envelope root; what it says, salt and transform version
// stay, so it scores as before. `header` and `opened` are open()'s; `out` has the old envelope's size.
Status reseal(crypto::Engine& engine, const keys::KeyRing& ring, const keys::SubjectKey& subject_key,
              Header& header, const Opened& opened, MutableBytes out);

// What the ledger keeps of a reference: HMAC-SHA-256 under the subject's key over all that a reseal leaves as
// it is. Without that key it is a random number, and so it becomes one with the subject's erasure.
inline constexpr size_t kDigestSize = crypto::kDigestSize;
Status digest(crypto::Engine& engine, const keys::SubjectKey& subject_key, const Header& header,
              const Opened& opened, uint8_t out[kDigestSize]);

}  // namespace visage::reference
