// DepthCompleteness, DepthFeatureCompleteness (ours, 7.5h): share of the depth map, and of what surrounds
// eyes, nose and mouth, that was measured.
#include "sidecar/quality/depth_view.h"
#include "sidecar/quality/measures.h"

namespace visage::quality {
namespace {

Reading completeness(const cv::Mat& steps, const cv::Mat& mask) {
  int all = 0, there = 0;
  for (int y = 0; y < steps.rows; ++y) {
    const uint16_t* row = steps.ptr<uint16_t>(y);
    const uint8_t* inside = mask.empty() ? nullptr : mask.ptr(y);
    for (int x = 0; x < steps.cols; ++x) {
      if (inside != nullptr && inside[x] == 0) continue;
      ++all;
      there += row[x] != 0;
    }
  }
  if (all == 0) return undetermined();
  const double share = static_cast<double>(there) / all;
  return mapped(share, 100 * share);
}

}  // namespace

Reading depth_completeness(const View& view) {
  return view.scene.depth == nullptr ? undetermined() : completeness(view.scene.depth->steps, {});
}
Reading depth_feature_completeness(const View& view) {
  return view.scene.depth == nullptr ? undetermined()
                                     : completeness(view.scene.depth->steps, depth_features(view));
}

}  // namespace visage::quality
