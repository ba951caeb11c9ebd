// LuminanceVariance (0x45): variance of the face's luminance of 0…1.
#include "sidecar/quality/luminance.h"
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading luminance_variance(const View& view) {
  if (view.hull_pixels == 0) return undetermined();
  const double mean = luminance_average(view);
  double sum = 0;
  for (size_t level = 0; level < 256; ++level) {
    const double off = static_cast<double>(level) / 255 - mean;
    sum += off * off * view.luminance_histogram[level];
  }
  const double variance = sum / view.hull_pixels;
  return mapped(variance, 100 * std::sin(M_PI * 60 * variance / (60 * variance + 1)));
}

}  // namespace visage::quality
