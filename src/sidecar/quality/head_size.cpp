// HeadSize (0x53): eye midpoint to chin over the picture's height.
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading head_size(const View& view) {
  const double size = view.eyes_to_chin / view.scene.picture.rows;
  return mapped(size, 200 * (1 - sigmoid(std::abs(size - 0.45), 0, 0.05)));
}

}  // namespace visage::quality
