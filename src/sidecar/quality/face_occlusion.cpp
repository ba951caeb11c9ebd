// FaceOcclusionPrevention (0x51) by skin statistics: share of the face, without eyes, brows and mouth, that
// is not the person's skin.
#include "sidecar/quality/measures.h"
#include "sidecar/quality/occlusion.h"

namespace visage::quality {

Reading face_occlusion(const View& view) {
  constexpr uint16_t kLeftBrow[] = {70, 63, 105, 66, 107, 55, 65, 52, 53, 46};
  constexpr uint16_t kRightBrow[] = {300, 293, 334, 296, 336, 285, 295, 282, 283, 276};
  cv::Mat skin = view.hull.clone();
  const std::span<const uint16_t> features[] = {left_eye_contour(), right_eye_contour(), kLeftBrow,
                                                kRightBrow, outer_lips()};
  for (const auto feature : features) skin.setTo(0, view.mask_of(feature, 1.4f));
  const double share = foreign_share(view, skin, 0.5f);
  return share < 0 ? undetermined() : mapped(share, 100 * (1 - share));
}

}  // namespace visage::quality
