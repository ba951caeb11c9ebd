#include "sidecar/app/harden.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "sidecar/capture/runtime.h"

namespace visage::sidecar {

Status harden_process() {
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0)
    return Status::error(Code::kInternal, "cannot forbid core files: %s", std::strerror(errno));
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return Status::error(Code::kInternal, "cannot make the process undumpable: %s", std::strerror(errno));
  capture::forbid_telemetry();
  // A caller that hangs up must end its request, not the daemon.
  std::signal(SIGPIPE, SIG_IGN);
  return {};
}

}  // namespace visage::sidecar
