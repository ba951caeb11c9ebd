// MouthClosed (0x4e): the widest gap between the inner lips, over T.
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading mouth_closed(const View& view) {
  constexpr uint16_t kUpper[] = {82, 13, 312}, kLower[] = {87, 14, 317};
  if (!(view.eyes_to_chin > 0)) return undetermined();
  double gap = 0;
  for (size_t i = 0; i < std::size(kUpper); ++i)
    gap = std::max<double>(
        gap, capture::distance(view.scene.mesh.points[kUpper[i]], view.scene.mesh.points[kLower[i]]));
  const double open = gap / view.eyes_to_chin;
  return mapped(open, 100 * (1 - sigmoid(open, 0.2, 0.06)));
}

}  // namespace visage::quality
