// The movements of a face over time, and whether they are those that the session asked for.
#pragma once

#include <vector>

#include "core/challenge/challenge.h"
#include "sidecar/liveness/observation.h"
#include "sidecar/liveness/verdict.h"

namespace visage::liveness {

struct Event {
  challenge::Movement movement;
  size_t first, peak, last;  // frames
  float reach;               // at its peak, as extent() has it
};

// How far a movement is done, in units of what makes it count: from 1 above the person's rest it is one.
float extent(const quality::Pose& pose, const capture::Blendshapes& shapes, challenge::Movement movement);

// In the order of their beginnings. Movements are changes against the median of all frames, so that a face
// that smiles always does not smile.
std::vector<Event> find_events(Observations frames);

// How badly a plane's perspective explains the way from one frame's points to another's: RMS of what is left,
// in distances of the eyes. A photograph that is turned leaves next to nothing, a turned head leaves its
// nose.
float parallax(const capture::Mesh& from, const capture::Mesh& to);

// Passes when what was asked was done, in its order, and no other turn, nod or opening of the mouth, but for
// one that is much slighter than all that was asked. Blinking and smiling that nobody asked for is what
// people do. docs/liveness.md "challenge" says what that leaves to a recording.
Outcome judge_challenge(Observations frames, const challenge::Challenge& asked);

}  // namespace visage::liveness
