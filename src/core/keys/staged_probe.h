// A probe as it waits in the database for an import: sealed once more, under a transform root.
//
// A probe is sealed under an envelope root alone, which does while it is under way. Stored, it would be in
// the write-ahead log and in backups, and hand whoever has that root and no other the feature, which
// references do not. The layout is docs/formats.md "staged probe".
#pragma once

#include "core/crypto/engine.h"
#include "core/keys/roots.h"

namespace visage::keys {

inline constexpr size_t kBatchNonceSize = 32;
inline constexpr size_t kStagedHeaderSize = 4 + 4 + 4 + 16 + crypto::kNonceSize;

// The import and the probe that it is staged for. Part of the AAD: in another batch it does not open.
struct Staging {
  uint32_t institution;
  Uuid probe;
  Bytes batch_nonce;  // kBatchNonceSize
};

constexpr size_t staged_size(crypto::Suite suite, size_t probe_size) {
  return kStagedHeaderSize + probe_size + crypto::tag_size(suite);
}

// Seals a probe's envelope under the newest transform root. `out` has staged_size() bytes.
Status stage_probe(crypto::Engine& engine, const KeyRing& ring, crypto::Suite suite, const Staging& staging,
                   Bytes probe, MutableBytes out);
// Size of the probe within; kMalformed when it is no staged probe.
Status staged_probe_size(Bytes staged, size_t& size);
// `out` has staged_probe_size() bytes. kKeyMissing when the root version is not loaded, kAuthenticationFailed
// when anything was altered or it is staged for another batch.
Status unstage_probe(crypto::Engine& engine, const KeyRing& ring, const Staging& staging, Bytes staged,
                     MutableBytes out);

}  // namespace visage::keys
