// DynamicRange (0x48): entropy of the face's luminance histogram, in bits.
#include "sidecar/quality/luminance.h"
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading dynamic_range(const View& view) {
  if (view.hull_pixels == 0) return undetermined();
  double entropy = 0;
  for (const int count : view.luminance_histogram) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / view.hull_pixels;
    entropy -= share * std::log2(share);
  }
  return mapped(entropy, 12.5 * entropy);
}

}  // namespace visage::quality
