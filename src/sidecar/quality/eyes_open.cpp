// EyesOpen (0x4d): the widest gap between the lids of the eye that is open less, over T.
#include "sidecar/quality/measures.h"

namespace visage::quality {
namespace {

struct Pair {
  uint16_t upper, lower;
};

double widest(const View& view, std::span<const Pair> pairs) {
  double gap = 0;
  for (const Pair& pair : pairs)
    gap = std::max<double>(
        gap, capture::distance(view.scene.mesh.points[pair.upper], view.scene.mesh.points[pair.lower]));
  return gap;
}

}  // namespace

Reading eyes_open(const View& view) {
  constexpr Pair kLeft[] = {{160, 144}, {159, 145}, {158, 153}};
  constexpr Pair kRight[] = {{385, 380}, {386, 374}, {387, 373}};
  if (!(view.eyes_to_chin > 0)) return undetermined();
  const double open = std::min(widest(view, kLeft), widest(view, kRight)) / view.eyes_to_chin;
  return mapped(open, 100 * sigmoid(open, 0.02, 0.01));
}

}  // namespace visage::quality
