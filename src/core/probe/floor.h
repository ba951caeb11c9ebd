// Least quality and liveness of a probe.
#pragma once

#include <span>

#include "core/probe/probe.h"

namespace visage::probe {

struct QualityFloor {
  Measure measure;
  float minimum;
};

enum class Reached : uint8_t {
  kNoFloor,  // nothing was asked for
  kReached,
  kShort,
  kMissing,  // a floor names a measure that the probe lacks
};

Reached reached(const QualityFloor& floor, const Contents& contents);
// All of them.
bool floors_reached(std::span<const QualityFloor> floors, const Contents& contents);
// By every method, and by one at least: each misses attacks that another finds.
bool floor_reached(float liveness_floor, const Contents& contents);

}  // namespace visage::probe
