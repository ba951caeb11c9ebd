// InterEyeDistance (0x52): a head that is turned shows its eyes nearer together than they are.
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading inter_eye_distance(const View& view) {
  // Past this the eyes are nearly one behind the other, and the division would make pixels out of nothing.
  constexpr double kMostYaw = 60;
  double cosine = 1;  // no pose: the uncorrected distance is a lower bound
  if (view.pose.known) cosine = std::cos(std::min<double>(std::abs(view.pose.yaw), kMostYaw) * M_PI / 180);
  const double distance = view.eye_distance / cosine;
  return mapped(distance, 100 * sigmoid(distance, 70, 20));
}

}  // namespace visage::quality
