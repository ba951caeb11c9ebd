// The one-picture network over several frames.
#pragma once

#include "sidecar/liveness/observation.h"
#include "sidecar/liveness/verdict.h"

namespace visage::liveness {

// The network is uncertain on turned heads, blurred frames and open mouths, so the frames near the front view
// count, and of them the median. One good frame of an attack does not pass, one bad one of a person does not
// fail.
Outcome judge_passive(Observations frames);

}  // namespace visage::liveness
