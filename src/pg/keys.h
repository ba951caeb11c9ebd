// The key ring: root keys in shared memory that is locked and left out of core dumps.
#pragma once

#include "core/crypto/engine.h"
#include "core/keys/roots.h"

namespace visage::pg {

// In the postmaster, before shared memory exists: maps the ring and reads the providers. A configured
// provider that fails stops the server's start; one that is not configured leaves the ring empty.
void keys_load_at_start();

// The ring, or a clear error that says whether preload or the provider is missing.
const keys::KeyRing& key_ring();

// This backend's crypto engine.
crypto::Engine& engine();

}  // namespace visage::pg
