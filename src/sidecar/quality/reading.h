// What a measure gives, and the curves that turn its native value into a quality of 0…100.
#pragma once

#include <algorithm>
#include <cmath>

#include "core/probe/probe.h"

namespace visage::quality {

struct Reading {
  bool assessed = false;  // false: could not be assessed, which is a value and not an error
  float native = 0;       // the measure's own unit
  uint8_t scalar = probe::kScalarUndetermined;  // 0…100; kScalarUndetermined where native has no mapping
};

// σ of ISO/IEC 29794-5.
inline double sigmoid(double x, double middle, double width) {
  return 1 / (1 + std::exp((middle - x) / width));
}

// "Scalar quality" of 29794-5: rounded and clipped to 0…100.
inline uint8_t to_scalar(double value) {
  return static_cast<uint8_t>(std::lround(std::clamp(value, 0.0, 100.0)));
}

inline Reading undetermined() {
  return {};
}
inline Reading plain(double native) {
  return {std::isfinite(native), static_cast<float>(native), probe::kScalarUndetermined};
}
inline Reading mapped(double native, double scalar) {
  if (!std::isfinite(native) || !std::isfinite(scalar)) return {};
  return {true, static_cast<float>(native), to_scalar(scalar)};
}

}  // namespace visage::quality
