// DepthWidth, DepthHeight, DepthSkew (ours): the frame, and how far apart in time it is from the picture
// (ms).
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading depth_width(const View& view) {
  return view.scene.depth == nullptr ? undetermined() : plain(view.scene.depth->steps.cols);
}
Reading depth_height(const View& view) {
  return view.scene.depth == nullptr ? undetermined() : plain(view.scene.depth->steps.rows);
}
Reading depth_skew(const View& view) {
  if (view.scene.depth == nullptr || !view.scene.depth->settings.skew_ms) return undetermined();
  return plain(std::abs(*view.scene.depth->settings.skew_ms));
}

}  // namespace visage::quality
