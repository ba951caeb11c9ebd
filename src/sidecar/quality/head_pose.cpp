// HeadPoseYaw, HeadPosePitch, HeadPoseRoll (0x58–0x5a), in degrees; see pose.h for their signs.
#include "sidecar/quality/measures.h"

namespace visage::quality {
namespace {

Reading angle(const View& view, float degrees) {
  if (!view.pose.known) return undetermined();
  const double cosine = std::max(0.0, std::cos(degrees * M_PI / 180));
  return mapped(degrees, 100 * cosine * cosine);
}

}  // namespace

Reading head_pose_yaw(const View& view) {
  return angle(view, view.pose.yaw);
}
Reading head_pose_pitch(const View& view) {
  return angle(view, view.pose.pitch);
}
Reading head_pose_roll(const View& view) {
  return angle(view, view.pose.roll);
}

}  // namespace visage::quality
