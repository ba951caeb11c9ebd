// Keeps samples and keys out of core files and away from other processes of the same user.
#pragma once

#include "core/base/status.h"

namespace visage::sidecar {

// The model runtime's telemetry off, core size 0, not dumpable (so not traceable and /proc/self/mem closed to
// the same user), SIGPIPE ignored. Call it first, before anything secret is read.
Status harden_process();

}  // namespace visage::sidecar
