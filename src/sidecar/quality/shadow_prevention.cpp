// ShadowPrevention (ours, 7.4j): the darkest over the brightest of seven places of the skin where beards and
// fringes seldom grow, by the median of their luminance in linear light; 1 without any shadow.
#include <algorithm>

#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading shadow_prevention(const View& view) {
  // Left and right: under the eye, the cheek, beside the nose; and the nose's bridge.
  constexpr uint16_t kPlaces[] = {117, 346, 50, 280, 205, 425, 197};
  const int side = std::max(4, cvRound(0.16f * view.frame_eye_distance));
  double darkest = 256, brightest = 0;
  int seen = 0;
  std::vector<uint8_t> values;
  for (const uint16_t index : kPlaces) {
    const capture::Point p = view.points[index];
    const cv::Rect place(cvRound(p.x) - side / 2 - view.area.x, cvRound(p.y) - side / 2 - view.area.y, side,
                         side);
    values.clear();
    const cv::Rect shown = place & cv::Rect({}, view.area.size());
    for (int y = shown.y; y < shown.br().y; ++y)
      for (int x = shown.x; x < shown.br().x; ++x)
        if (view.hull.at<uint8_t>(y, x) != 0) values.push_back(view.luminance.at<uint8_t>(y, x));
    if (values.size() < static_cast<size_t>(side)) continue;
    std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2), values.end());
    const double median = values[values.size() / 2];
    darkest = std::min(darkest, median);
    brightest = std::max(brightest, median);
    ++seen;
  }
  if (seen < 4 || brightest <= 0) return undetermined();
  const double ratio = darkest / brightest;
  return mapped(ratio, 100 * std::sqrt(ratio));
}

}  // namespace visage::quality
