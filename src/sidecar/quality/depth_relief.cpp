// DepthRelief (ours, 6.1.3d): are features and contour there? How far the tip of the nose stands out from the
// plane of both cheeks, mm; a plane has 0, a hollow mould less.
#include "sidecar/quality/depth_view.h"
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading depth_relief(const View& view) {
  if (view.scene.depth == nullptr) return undetermined();
  const float nose = depth_at(view, 4, 0.04f), left = depth_at(view, 50, 0.06f),
              right = depth_at(view, 280, 0.06f);
  if (nose == 0 || left == 0 || right == 0) return undetermined();
  // The share of the way from the left cheek to the right one at which the nose is seen: a turned head.
  const auto& points = view.scene.mesh.points;
  const float span = points[280].x - points[50].x;
  const float share = span > 0 ? std::clamp((points[4].x - points[50].x) / span, 0.0f, 1.0f) : 0.5f;
  const double relief = left + share * (right - left) - nose;
  return mapped(relief, 100 * sigmoid(relief, 8, 2));
}

}  // namespace visage::quality
