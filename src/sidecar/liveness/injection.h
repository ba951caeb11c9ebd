// Frames that no camera took: one picture for many, a recording that goes round, times that cannot be, noise
// that stays the same, a camera that is a program, a file that an editor wrote.
#pragma once

#include <string_view>

#include "sidecar/liveness/observation.h"
#include "sidecar/liveness/verdict.h"

namespace visage::liveness {

struct Origin {
  std::string_view device;  // the camera's label as the page sees it; empty: not told
  bool edited = false;      // capture::names_editor() of any frame
  int64_t most_us = 0;      // time that the session left for capturing; 0: not known
};

Outcome judge_injection(Observations frames, const Origin& origin);

// Labels of programs that offer themselves as a camera. A label is what the sender says: a match convicts, no
// match proves nothing.
bool is_virtual_camera(std::string_view label);

// Correlation of two frames' grain, and of how many pixels; {0, 0} when there is too little of it.
struct Sameness {
  float correlation = 0;
  int pixels = 0;
};
Sameness compare_grain(const Observation& a, const Observation& b);

}  // namespace visage::liveness
