// LeftwardCropOfTheFaceImage, RightwardCropOfTheFaceImage, MarginAboveOfTheFaceImage,
// MarginBelowOfTheFaceImage (0x54–0x57): room around the face, in eye distances and in eyes-to-chin.
#include "sidecar/quality/measures.h"

namespace visage::quality {
namespace {

Reading margin(double room, double unit, double middle) {
  if (!(unit > 0)) return undetermined();
  return mapped(room / unit, 100 * sigmoid(room / unit, middle, 0.1));
}

double eye_height(const View& view) {
  return (view.eye_left.y + view.eye_right.y) / 2;
}

}  // namespace

Reading leftward_crop(const View& view) {
  return margin(view.eye_left.x, view.eye_distance, 0.9);
}
Reading rightward_crop(const View& view) {
  return margin(view.scene.picture.cols - view.eye_right.x, view.eye_distance, 0.9);
}
Reading margin_above(const View& view) {
  return margin(eye_height(view), view.eyes_to_chin, 1.4);
}
Reading margin_below(const View& view) {
  return margin(view.scene.picture.rows - eye_height(view), view.eyes_to_chin, 1.8);
}

}  // namespace visage::quality
