#include "core/probe/floor.h"

#include <algorithm>

namespace visage::probe {

Reached reached(const QualityFloor& floor, const Contents& contents) {
  Reached found = Reached::kMissing;
  for (int i = 0; i < contents.quality_count; ++i) {
    if (contents.quality[i].measure != floor.measure) continue;
    // Not a number is short of everything.
    if (!(contents.quality[i].native >= floor.minimum)) return Reached::kShort;
    found = Reached::kReached;
  }
  return found;
}

bool floors_reached(std::span<const QualityFloor> floors, const Contents& contents) {
  return std::all_of(floors.begin(), floors.end(), [&](const QualityFloor& floor) {
    return reached(floor, contents) == Reached::kReached;
  });
}

bool floor_reached(float liveness_floor, const Contents& contents) {
  return contents.liveness_count != 0 &&
         std::all_of(contents.liveness, contents.liveness + contents.liveness_count,
                     [&](const Liveness& liveness) { return liveness.value >= liveness_floor; });
}

}  // namespace visage::probe
