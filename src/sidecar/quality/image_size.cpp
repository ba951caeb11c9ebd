// ImageWidth, ImageHeight, FacesFound, FaceWidth: counts and pixels, without a mapping to 0…100.
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading image_width(const View& view) {
  return plain(view.scene.picture.cols);
}
Reading image_height(const View& view) {
  return plain(view.scene.picture.rows);
}
Reading faces_found(const View& view) {
  return plain(static_cast<double>(view.scene.faces.size()));
}
Reading face_width(const View& view) {
  return plain(view.scene.faces.front().box.width);
}

}  // namespace visage::quality
