// Keys below the roots: the random key of a subject, stored wrapped, and the keys of capture sources.
//
// Destroying a wrapped subject key makes every reference of that subject unopenable for ever (crypto-shred).
#pragma once

#include "core/base/secret.h"
#include "core/crypto/engine.h"
#include "core/keys/roots.h"
#include "core/probe/probe.h"

namespace visage::keys {

inline constexpr size_t kSubjectKeySize = 32;
using SubjectKey = KeyBytes<kSubjectKeySize>;

// Who a key or a reference belongs to. Part of every AAD, so a row moved to another subject does not open.
struct Owner {
  uint32_t institution;
  Uuid subject;
};

inline constexpr size_t kWrappedHeaderSize = 4 + 4 + 4 + 16 + crypto::kNonceSize;
inline constexpr size_t kMaxWrappedSize = kWrappedHeaderSize + kSubjectKeySize + crypto::kMaxTagSize;

constexpr size_t wrapped_size(crypto::Suite suite) {
  return kWrappedHeaderSize + kSubjectKeySize + crypto::tag_size(suite);
}

// Makes a subject key and wraps it under the newest envelope root. `out` has wrapped_size(suite) bytes.
Status new_subject_key(crypto::Engine& engine, const KeyRing& ring, crypto::Suite suite, const Owner& owner,
                       MutableBytes out);
// kKeyMissing when the root version is not loaded, kAuthenticationFailed when the row was altered or moved.
Status unwrap_subject_key(crypto::Engine& engine, const KeyRing& ring, const Owner& owner, Bytes wrapped,
                          SubjectKey& out);
// The same key under the newest root, in the same suite. `out` has the size of `wrapped`.
Status rewrap_subject_key(crypto::Engine& engine, const KeyRing& ring, const Owner& owner, Bytes wrapped,
                          MutableBytes out);
// Root version that a wrapped key depends on.
Status wrapped_key_version(Bytes wrapped, uint32_t& version);

// Fills `key` for a capture source. `generation` changes when the source's key is replaced.
Status derive_source_key(crypto::Engine& engine, const KeyRing& ring, crypto::Suite suite,
                         uint32_t key_version, uint32_t institution, const Uuid& source, uint32_t generation,
                         probe::SourceKey& out);

// Looks a root up by version; the message names version and custody.
Status find_root(const RootSet& roots, uint32_t version, const char* custody, const Root*& out);

}  // namespace visage::keys
