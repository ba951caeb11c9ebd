// The sign code of one reference in a gallery: how it is made from a probe, and how it is sealed at rest.
//
// All codes of an epoch share one rotation, so that their Hamming distances estimate angles; a reference's
// own rotation is another one (core/reference). A code is made from a capture alone, never from a reference.
// It is sealed under its epoch's transform root and its subject's key: what shreds the references shreds the
// codes, both custodies are needed to open one, and a new envelope root leaves it as it is, as the subject's
// key is wrapped anew and stays the same. The layout is docs/formats.md "gallery code".
#pragma once

#include "core/base/secret.h"
#include "core/crypto/engine.h"
#include "core/gallery/search.h"
#include "core/keys/subject_key.h"
#include "core/probe/probe.h"
#include "core/reference/reference.h"

namespace visage::gallery {

inline constexpr size_t kSaltSize = 32;

// One rotation of a gallery. Plain values: they are stored in clear, and give no mask without the transform
// root.
struct Epoch {
  crypto::Suite suite;  // of the seed; a code's own may be another
  uint32_t transform_version;
  uint32_t institution;
  uint32_t number;  // counts from 1 in its gallery
  uint16_t dimension;
  uint8_t model_digest[probe::kModelDigestSize];
  uint8_t salt[kSaltSize];
};

// A new epoch under the newest transform root, with a salt of its own. The caller sets suite, institution,
// number, dimension and model_digest.
Status begin_epoch(crypto::Engine& engine, const keys::KeyRing& ring, Epoch& epoch);

// The signs of an epoch's rotation, and the confirmation that ties codes to them. A secret.
struct EpochMasks {
  uint8_t masks[reference::kMaxMaskSize];
  uint8_t confirmation[reference::kConfirmationSize];
};
// kKeyMissing when the transform root is not loaded.
Status derive_masks(crypto::Engine& engine, const keys::KeyRing& ring, const Epoch& epoch, EpochMasks& out);

// A secret in clear; where the search reads it, one follows the other.
struct SignCode {
  uint64_t words[kCodeWords];

  Bytes view() const { return {reinterpret_cast<const uint8_t*>(words), sizeof words}; }
  MutableBytes span() { return {reinterpret_cast<uint8_t*>(words), sizeof words}; }
};
static_assert(sizeof(SignCode) == kCodeBits / 8);

// Is the feature of the epoch's model? No code is made of another's.
bool encodes(const Epoch& epoch, const probe::Contents& contents);
// kInvalidArgument unless encodes().
Status make_code(const Epoch& epoch, const EpochMasks& masks, const probe::Contents& contents, SignCode& out);

inline constexpr size_t kCodeHeaderSize = 64;
constexpr size_t sealed_code_size(crypto::Suite suite) {
  return kCodeHeaderSize + sizeof(SignCode) + crypto::tag_size(suite);
}

// Whose code it is. It goes with one generation of one reference: a renewed reference has another capture.
struct CodeOwner {
  keys::Owner owner;
  Uuid reference;
  uint32_t generation;
};

// `masks` are the epoch's. `out` has sealed_code_size() bytes.
Status seal_code(crypto::Engine& engine, const keys::KeyRing& ring, const keys::SubjectKey& subject_key,
                 crypto::Suite suite, const Epoch& epoch, const EpochMasks& masks, const CodeOwner& of,
                 const SignCode& code, MutableBytes out);
// A code that was moved to another row, subject or epoch, or is of another generation, is refused before any
// key is used. Input is hostile.
Status open_code(crypto::Engine& engine, const keys::KeyRing& ring, const keys::SubjectKey& subject_key,
                 const Epoch& epoch, const EpochMasks& masks, const CodeOwner& of, Bytes sealed,
                 SignCode& out);

}  // namespace visage::gallery
