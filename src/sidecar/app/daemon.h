// Puts the parts together, runs them, and takes them apart when told to stop.
#pragma once

#include "sidecar/app/settings.h"

namespace visage::sidecar {

// Serves until SIGTERM or SIGINT, then finishes the requests under way. The process's exit code.
int run_daemon(const Settings& settings);

}  // namespace visage::sidecar
