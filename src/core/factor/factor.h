// Authentication factors beside the face [6.6e]: how their secrets are stored.
//
// A factor's secret is sealed under a key that needs the envelope root and the subject's key: destroying the
// subject's key destroys its factors with it, and a dump gives nothing to guess against. docs/formats.md has
// the bytes.
#pragma once

#include "core/keys/subject_key.h"

namespace visage::factor {

// As enum visage.factor_kind has it. Numbers are stored; never renumbered.
enum class Kind : uint8_t { kPassword = 1, kTotp = 2, kCertificate = 3, kOtp = 4, kFace = 5 };
inline constexpr int kKinds = 5;
const char* label(Kind kind);
bool find_kind(std::string_view label, Kind& out);
// One-time codes come from the caller's service and faces are references: neither has a secret here.
inline bool is_stored(Kind kind) {
  return kind == Kind::kPassword || kind == Kind::kTotp || kind == Kind::kCertificate;
}

inline constexpr size_t kHeaderSize = 92;
inline constexpr size_t kMaxContents = 128;
inline constexpr size_t kMaxSealedSize = kHeaderSize + kMaxContents + crypto::kMaxTagSize;

constexpr size_t sealed_size(crypto::Suite suite, size_t contents) {
  return kHeaderSize + contents + crypto::tag_size(suite);
}

// What a row says of its factor; part of the AAD, so an envelope opens in its own row only.
struct Place {
  Kind kind;
  keys::Owner owner;
  Uuid factor;
};

// Seals under the newest envelope root; `key_version` says which. `out` has sealed_size() bytes.
Status seal(crypto::Engine& engine, const keys::KeyRing& ring, crypto::Suite suite,
            const keys::SubjectKey& subject_key, const Place& place, Bytes contents, MutableBytes out,
            uint32_t& key_version);

// `out` has kMaxContents bytes and is its caller's to wipe.
Status open(crypto::Engine& engine, const keys::KeyRing& ring, const keys::SubjectKey& subject_key,
            const Place& place, Bytes envelope, MutableBytes out, size_t& size);

// The same factor under the newest envelope root, in its suite; `out` has the envelope's size.
Status reseal(crypto::Engine& engine, const keys::KeyRing& ring, const keys::SubjectKey& subject_key,
              const Place& place, Bytes envelope, MutableBytes out);

// What is given to bcrypt in place of a password: base64 of an HMAC under a key of the subject and factor. So
// the password itself never reaches SQL, may be longer than the 72 bytes that bcrypt reads, and a bcrypt hash
// of it made elsewhere is of no use.
inline constexpr size_t kPreparedPasswordSize = 44;
Status prepare_password(crypto::Engine& engine, const keys::SubjectKey& subject_key, const Uuid& factor,
                        std::string_view password, char out[kPreparedPasswordSize]);

}  // namespace visage::factor
