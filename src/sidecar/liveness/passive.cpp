#include "sidecar/liveness/passive.h"

#include <algorithm>
#include <cmath>

namespace visage::liveness {
namespace {

constexpr float kFrontal = 12;  // degrees of yaw and of pitch
constexpr float kFloor = 0.5f;

bool is_frontal(const Observation& frame) {
  return frame.faces > 0 && std::abs(frame.pose.yaw) < kFrontal && std::abs(frame.pose.pitch) < kFrontal;
}

// A face that the screen colours looks like a print to a network that learnt from white light. Step 0 is
// black.
bool is_tinted(const Observation& frame) {
  return frame.light_step > 0;
}

}  // namespace

Outcome judge_passive(Observations frames) {
  std::vector<float> values;
  const auto take = [&](auto fits) {
    for (const Observation& frame : frames)
      if (fits(frame)) values.push_back(frame.live);
  };
  take([](const Observation& frame) { return is_frontal(frame) && !is_tinted(frame); });
  if (values.empty()) take(is_frontal);
  // A single picture that is not frontal is judged all the same: a challenge starts with a frontal one.
  if (values.empty()) take([](const Observation& frame) { return frame.faces > 0; });
  if (values.empty()) return undetermined(Method::kPassive, Reason::kFaceLost);
  // Of an even number the lower of the two in the middle.
  const auto middle = values.begin() + static_cast<long>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle >= kFloor ? pass(Method::kPassive, *middle)
                           : fail(Method::kPassive, Reason::kNetwork, *middle);
}

}  // namespace visage::liveness
