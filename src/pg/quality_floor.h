// Least quality and liveness of a probe.
#pragma once

#include "core/probe/probe.h"

namespace visage::pg {

struct QualityFloor {
  probe::Measure measure;
  float minimum;
};

// A measure that a floor names and the probe lacks does not reach it.
bool floors_reached(const QualityFloor* floors, int count, const probe::Contents& contents);
// By every method, and by one at least: each misses attacks that another finds.
bool floor_reached(float liveness_floor, const probe::Contents& contents);

}  // namespace visage::pg
