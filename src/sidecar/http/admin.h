// The admin listener's handlers: /live, /ready, /metrics. Nothing here needs a caller's name, hence loopback.
#pragma once

#include "sidecar/app/metrics.h"
#include "sidecar/app/readiness.h"
#include "sidecar/http/router.h"

namespace visage::sidecar::http {

Router make_admin_router(Readiness& readiness, const Metrics& metrics);

}  // namespace visage::sidecar::http
