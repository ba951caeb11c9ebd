// Seals a capture into a probe under this instance's source key.
#pragma once

#include <chrono>

#include "core/probe/probe.h"
#include "sidecar/app/wiped.h"
#include "sidecar/flow/source_key.h"

namespace visage::sidecar {

class Sealer {
 public:
  // `lifetime`: how long a sealed probe may be used, on the clock of this machine.
  Sealer(SourceKeyFile& key, std::chrono::seconds lifetime) : key_(key), lifetime_(lifetime) {}

  // `nonce` is the session's, kSessionNonceSize bytes, or empty. Thread-safe; each thread gets its own crypto
  // engine.
  Status seal(const probe::Contents& contents, Bytes nonce, WipedBytes& out);

 private:
  SourceKeyFile& key_;
  const std::chrono::seconds lifetime_;
};

}  // namespace visage::sidecar
