// Sums over the histogram of the face's luminance.
#pragma once

#include "sidecar/quality/view.h"

namespace visage::quality {

// Share of the face's pixels whose luminance is in low…high; the hull must not be empty.
inline double luminance_share(const View& view, size_t low, size_t high) {
  int count = 0;
  for (size_t level = low; level <= high; ++level) count += view.luminance_histogram[level];
  return static_cast<double>(count) / view.hull_pixels;
}

inline double luminance_average(const View& view) {
  double sum = 0;
  for (size_t level = 0; level < 256; ++level)
    sum += static_cast<double>(level) * view.luminance_histogram[level];
  return sum / 255 / view.hull_pixels;
}

}  // namespace visage::quality
