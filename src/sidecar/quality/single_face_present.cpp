// SingleFacePresent (0x4c).
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading single_face_present(const View& view) {
  const double second = capture::second_face_ratio(view.scene.faces);
  return mapped(second, 100 * (1 - second));
}

}  // namespace visage::quality
