// What a Sequence holds; seen by sequence.cpp only.
#pragma once

#include <limits>

#include "sidecar/capture/pipeline.h"
#include "sidecar/liveness/observation.h"

namespace visage::capture {

struct Sequence::Frames {
  WipedVector<liveness::Observation> seen;                 // oldest first
  WipedVector<uint8_t> picture;                            // of the best of them, as it came
  float oddness = std::numeric_limits<float>::infinity();  // how far that one is from a face at rest
  bool edited = false;                                     // an editor left its name in one of them
};

}  // namespace visage::capture
