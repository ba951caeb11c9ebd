#include "pg/quality_floor.h"

#include <algorithm>

namespace visage::pg {

bool floors_reached(const QualityFloor* floors, int count, const probe::Contents& contents) {
  for (int i = 0; i < count; ++i) {
    bool reached = false;
    for (int j = 0; j < contents.quality_count; ++j)
      if (contents.quality[j].measure == floors[i].measure)
        reached = contents.quality[j].native >= floors[i].minimum;
    if (!reached) return false;
  }
  return true;
}

bool floor_reached(float liveness_floor, const probe::Contents& contents) {
  return contents.liveness_count != 0 &&
         std::all_of(contents.liveness, contents.liveness + contents.liveness_count,
                     [&](const probe::Liveness& liveness) { return liveness.value >= liveness_floor; });
}

}  // namespace visage::pg
