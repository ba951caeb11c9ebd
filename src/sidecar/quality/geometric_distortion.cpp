// GeometricDistortion (ours, an estimate): how much wider or narrower the face is than the mean face in the
// same pose, in per cent. Sees pictures that were stretched along one side; does not see a lens's barrel.
// People's faces differ by ±10 % themselves (2nd to 98th percentile of the portraits), which the profiles
// allow for as doubt.
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading geometric_distortion(const View& view) {
  // Turned further, a wrong pose and a stretched picture look alike.
  constexpr float kMostTurned = 25;
  const Pose& pose = view.pose;
  if (!pose.known || std::abs(pose.yaw) > kMostTurned || std::abs(pose.pitch) > kMostTurned ||
      !(pose.aspect > 0))
    return undetermined();
  const double percent = 100 * (std::max(pose.aspect, 1 / pose.aspect) - 1);
  return mapped(percent, 100 - 5 * percent);
}

}  // namespace visage::quality
