// DepthOutliers (ours, 6.1.3d): share of the face's measured points that lie far from the median of their
// neighbours, as single points in the air do.
#include <opencv2/imgproc.hpp>

#include "sidecar/quality/depth_view.h"
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading depth_outliers(const View& view) {
  constexpr float kFar = 15;  // mm; the steepest flank of a nose climbs less within two pixels
  const cv::Mat face = depth_face(view);
  if (face.empty() || cv::countNonZero(face) == 0) return undetermined();
  const cv::Rect box = cv::boundingRect(face);
  const cv::Mat steps = view.scene.depth->steps(box);
  cv::Mat median;
  cv::medianBlur(steps, median, 5);
  int all = 0, far = 0;
  for (int y = 0; y < steps.rows; ++y)
    for (int x = 0; x < steps.cols; ++x) {
      const int value = steps.at<uint16_t>(y, x), around = median.at<uint16_t>(y, x);
      if (face.at<uint8_t>(box.y + y, box.x + x) == 0 || value == 0 || around == 0) continue;
      ++all;
      far += static_cast<float>(std::abs(value - around)) * view.scene.depth->settings.unit_mm > kFar;
    }
  if (all == 0) return undetermined();
  const double share = static_cast<double>(far) / all;
  return mapped(share, 100 - 2000 * share);
}

}  // namespace visage::quality
