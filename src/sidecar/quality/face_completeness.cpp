// FaceCompleteness (ours): share of the mesh, forehead to chin and ear to ear, that lies inside the picture.
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading face_completeness(const View& view) {
  const float right = static_cast<float>(view.scene.picture.cols - 1);
  const float bottom = static_cast<float>(view.scene.picture.rows - 1);
  size_t inside = 0;
  for (const capture::Point& p : view.scene.mesh.points)
    inside += p.x >= 0 && p.y >= 0 && p.x <= right && p.y <= bottom;
  const double share = static_cast<double>(inside) / static_cast<double>(capture::kMeshPoints);
  return mapped(share, 100 * share);
}

}  // namespace visage::quality
