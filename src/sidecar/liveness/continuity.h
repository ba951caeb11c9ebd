// One face throughout: nobody takes over for another between two movements.
#pragma once

#include "sidecar/liveness/observation.h"
#include "sidecar/liveness/verdict.h"

namespace visage::liveness {

struct ContinuityLimits {
  // Cosines of features. Neighbours of one person are far above, other people far below (0.43 at most between
  // the portraits of tests); a turned head is less like its front view than like the frame before.
  float neighbours = 0.5f;
  float with_first = 0.3f;
  // Farthest that the face's middle may go, in widths of the face a second, and how much it may grow.
  float speed = 6;
  float growth = 6;  // e-folds a second
  // Share of the frames that may be without the face: the detector misses some turned heads.
  float lost = 0.2f;
};

Outcome judge_continuity(Observations frames, const ContinuityLimits& limits = {});

}  // namespace visage::liveness
