// EyesVisible (0x4f) by skin statistics: share of what surrounds the eyes, inside OFIQ's eye zones, that is
// not the person's skin. Lids and lashes lie in the eye itself and do not count.
#include <opencv2/imgproc.hpp>

#include "sidecar/quality/measures.h"
#include "sidecar/quality/occlusion.h"

namespace visage::quality {

Reading eyes_visible(const View& view) {
  cv::Mat around = cv::Mat::zeros(view.area.size(), CV_8U);
  for (const cv::Rect& zone : view.eye_zones()) around(zone).setTo(255);
  // The lids' line is drawn with lashes; a quarter more leaves them out. Sunglasses are darker than shadows.
  around.setTo(0, view.mask_of(left_eye_contour(), 1.25f));
  around.setTo(0, view.mask_of(right_eye_contour(), 1.25f));
  const double share = foreign_share(view, around, 0.3f);
  return share < 0 ? undetermined() : mapped(share, 100 * (1 - share));
}

}  // namespace visage::quality
