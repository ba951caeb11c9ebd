// LuminanceMean (0x44): mean luminance of the face, 0…1, in linear light.
#include "sidecar/quality/luminance.h"
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading luminance_mean(const View& view) {
  if (view.hull_pixels == 0) return undetermined();
  const double mean = luminance_average(view);
  return mapped(mean, 100 * sigmoid(mean, 0.2, 0.05) * (1 - sigmoid(mean, 0.8, 0.05)));
}

}  // namespace visage::quality
