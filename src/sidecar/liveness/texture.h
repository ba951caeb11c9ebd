// Dots of a print, pixels of a screen, and their moiré.
#pragma once

#include "sidecar/liveness/observation.h"
#include "sidecar/liveness/verdict.h"

namespace visage::liveness {

// A print or a screen that the camera does not resolve shows nothing: no finding is undetermined in blurred
// frames and a pass otherwise.
Outcome judge_texture(Observations frames);

}  // namespace visage::liveness
