// The light challenge: the page fills the screen with colours that follow from the session's nonce, and the
// face has to be lit by them. A recording does not know them, an injected stream does not reflect them, and a
// picture held before the camera reflects them all over, its background included.
#pragma once

#include "core/base/bytes.h"
#include "sidecar/liveness/observation.h"
#include "sidecar/liveness/verdict.h"

namespace visage::liveness {

inline constexpr size_t kLightSteps = 6;

// Step 0 is black; the others are red, green, blue, yellow, magenta or cyan, no two neighbours alike. 3,750
// sequences. Drawn from SHA-256("visage light 1" ‖ nonce), a byte a step, modulo: see docs/liveness.md.
using LightSequence = std::array<Colour, kLightSteps>;
LightSequence light_sequence(Bytes nonce);

// `light_step` of the frames says what was shown; the sequence is ours.
Outcome judge_light(Observations frames, const LightSequence& shown);

}  // namespace visage::liveness
