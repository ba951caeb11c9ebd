// FaceRegion (ours): is the region that is marked as the face the face? Overlap of the detector's box with
// the box around the mesh, which two networks found apart; intersection over union.
#include <opencv2/imgproc.hpp>

#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading face_region(const View& view) {
  std::vector<capture::Point> outline;
  for (const uint16_t index : face_outline()) outline.push_back(view.scene.mesh.points[index]);
  const capture::Box mesh = cv::boundingRect(outline);
  const double overlap = capture::overlap(view.scene.faces.front().box, mesh);
  return mapped(overlap, 100 * overlap);
}

}  // namespace visage::quality
