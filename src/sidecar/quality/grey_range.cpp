// GreyRange (ours, 7.4j): share of the face whose grey level, as encoded, lies within 85…200.
#include <numeric>

#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading grey_range(const View& view) {
  if (view.hull_pixels == 0) return undetermined();
  const auto first = view.grey_histogram.begin();
  const double share = static_cast<double>(std::accumulate(first + 85, first + 201, 0)) / view.hull_pixels;
  return mapped(share, 100 * share);
}

}  // namespace visage::quality
