// DepthHoles (ours, 6.1.3d): the largest connected part of the face without depth, over the face.
#include <opencv2/imgproc.hpp>

#include "sidecar/quality/depth_view.h"
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading depth_holes(const View& view) {
  const cv::Mat face = depth_face(view);
  const int all = face.empty() ? 0 : cv::countNonZero(face);
  if (all == 0) return undetermined();
  const cv::Rect box = cv::boundingRect(face);
  cv::Mat missing = view.scene.depth->steps(box) == 0;
  cv::bitwise_and(missing, face(box), missing);
  cv::Mat labels, statistics, middles;
  const int parts = cv::connectedComponentsWithStats(missing, labels, statistics, middles, 4);
  int largest = 0;
  for (int part = 1; part < parts; ++part)
    largest = std::max(largest, statistics.at<int>(part, cv::CC_STAT_AREA));
  const double share = static_cast<double>(largest) / all;
  return mapped(share, 100 - 1000 * share);
}

}  // namespace visage::quality
