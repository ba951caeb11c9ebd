// UnderExposurePrevention (0x46), OverExposurePrevention (0x47): share of the face that is next to black or
// white. OFIQ leaves occluded pixels out, for which a segmentation network is missing here.
#include "sidecar/quality/luminance.h"
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading under_exposure(const View& view) {
  if (view.hull_pixels == 0) return undetermined();
  const double dark = luminance_share(view, 0, 25);
  return mapped(dark, 120 * (0.832 - sigmoid(dark, 0.92, 0.05)));
}

Reading over_exposure(const View& view) {
  if (view.hull_pixels == 0) return undetermined();
  const double bright = luminance_share(view, 247, 255);
  return mapped(bright, 1 / (bright + 0.01));
}

}  // namespace visage::quality
