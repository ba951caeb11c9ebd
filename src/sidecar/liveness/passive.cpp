#include "sidecar/liveness/passive.h"

#include <algorithm>
#include <cmath>

namespace visage::liveness {
namespace {

constexpr float kFrontal = 12;  // degrees of yaw and of pitch
constexpr float kFloor = 0.5f;

}  // namespace

Outcome judge_passive(Observations frames) {
  std::vector<float> values;
  for (const Observation& frame : frames)
    if (frame.faces > 0 && std::abs(frame.pose.yaw) < kFrontal && std::abs(frame.pose.pitch) < kFrontal)
      values.push_back(frame.live);
  // A single picture that is not frontal is judged all the same: a challenge starts with a frontal one.
  if (values.empty())
    for (const Observation& frame : frames)
      if (frame.faces > 0) values.push_back(frame.live);
  if (values.empty()) return undetermined(Method::kPassive, Reason::kFaceLost);
  // Of an even number the lower of the two in the middle.
  const auto middle = values.begin() + static_cast<long>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle >= kFloor ? pass(Method::kPassive, *middle)
                           : fail(Method::kPassive, Reason::kNetwork, *middle);
}

}  // namespace visage::liveness
