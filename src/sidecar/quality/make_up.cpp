// MakeUp (ours, 7.4e): how far lips and eyelids lie from the cheeks in colour, CIELAB, root mean square of
// both. An estimate of heavy, coloured make-up alone: what evens the skin or draws other contours is not
// seen, lips differ by themselves, and glasses with coloured lenses look like it.
#include <opencv2/imgproc.hpp>

#include "sidecar/quality/measures.h"
#include "sidecar/quality/occlusion.h"

namespace visage::quality {
namespace {

// Between the crease of the lid and the brow.
constexpr uint16_t kLeftLid[] = {33, 246, 161, 160, 159, 158, 157, 173, 133, 55, 65, 52, 53, 46};
constexpr uint16_t kRightLid[] = {263, 466, 388, 387, 386, 385, 384, 398, 362, 285, 295, 282, 283, 276};

// CIELAB distance of a region's mean from the skin's, its lightness counting half: lids lie in the shade.
// Negative when too little of the region is in the picture.
double distance_from_skin(const View& view, const cv::Mat& mask) {
  constexpr int kFewest = 30;  // px at half resolution
  double lightness = 0, a = 0, b = 0;
  int count = 0;
  for (int y = 0; y < view.lab.rows; ++y) {
    const uint8_t *inside = mask.ptr(2 * y), *in_hull = view.hull.ptr(2 * y), *pixel = view.lab.ptr(y);
    for (int x = 0; x < view.lab.cols; ++x, pixel += 3) {
      if (inside[2 * x] == 0 || in_hull[2 * x] == 0) continue;
      lightness += pixel[0];
      a += pixel[1];
      b += pixel[2];
      ++count;
    }
  }
  if (count < kFewest) return -1;
  const double darker = (lightness / count - static_cast<double>(view.skin.lightness)) / 2.55 / 2;
  return std::hypot(
      std::hypot(a / count - static_cast<double>(view.skin.a), b / count - static_cast<double>(view.skin.b)),
      darker);
}

}  // namespace

Reading make_up(const View& view) {
  if (!is_skin(view.skin)) return undetermined();
  constexpr float kShrunk = 0.8f;
  cv::Mat lids;
  cv::bitwise_or(view.mask_of(kLeftLid, kShrunk), view.mask_of(kRightLid, kShrunk), lids);
  const double eyes = distance_from_skin(view, lids),
               lips = distance_from_skin(view, view.mask_of(outer_lips(), kShrunk));
  if (eyes < 0 || lips < 0) return undetermined();
  const double contrast = std::sqrt((eyes * eyes + lips * lips) / 2);
  return mapped(contrast, 200 * (1 - sigmoid(contrast, 10, 15)));
}

}  // namespace visage::quality
