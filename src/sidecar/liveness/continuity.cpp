#include "sidecar/liveness/continuity.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace visage::liveness {
namespace {

// A pause between two frames longer than this could hide an exchange behind speed that looks plausible.
constexpr double kLongestGap = 0.5;  // s

float cosine(const Observation& a, const Observation& b) {
  if (a.feature.empty() || a.feature.size() != b.feature.size()) return -1;
  return std::inner_product(a.feature.begin(), a.feature.end(), b.feature.begin(), 0.0f);
}

}  // namespace

Outcome judge_continuity(Observations frames, const ContinuityLimits& limits) {
  constexpr Method kMethod = Method::kContinuity;
  if (frames.size() < 2) return undetermined(kMethod, Reason::kTooFewFrames);
  const Observation *first = nullptr, *last = nullptr;
  size_t lost = 0;
  float worst = 1;
  for (const Observation& frame : frames) {
    if (frame.faces == 0) {
      ++lost;
      continue;
    }
    if (last != nullptr) {
      const float near = cosine(frame, *last);
      worst = std::min(worst, near);
      if (near < limits.neighbours || cosine(frame, *first) < limits.with_first)
        return fail(kMethod, Reason::kAnotherFace, near / 2);
      const double seconds =
          std::clamp(static_cast<double>(frame.time_us - last->time_us) * 1e-6, 0.0, kLongestGap);
      const float width = std::max(1.0f, std::max(frame.box.width, last->box.width));
      const double moved = capture::distance(capture::center(frame.box), capture::center(last->box)) / width;
      const double grown =
          std::abs(std::log(std::max(1.0f, frame.box.width) / std::max(1.0f, last->box.width)));
      // The detector's box shakes by some per cent, however short the gap.
      if (moved > 0.1 + limits.speed * seconds || grown > 0.1 + limits.growth * seconds)
        return fail(kMethod, Reason::kJump);
    }
    if (first == nullptr) first = &frame;
    last = &frame;
  }
  if (first == nullptr || static_cast<float>(lost) > limits.lost * static_cast<float>(frames.size()))
    return undetermined(kMethod, Reason::kFaceLost);
  return pass(kMethod, worst);
}

}  // namespace visage::liveness
