// Blockiness (ours): steps of brightness across the borders of JPEG's 8 × 8 blocks over those inside them, in
// the face; 1 without blocks. Sees a JPEG that was stored again in another format, on its own grid only.
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading blockiness(const View& view) {
  const cv::Mat& picture = view.scene.picture;
  const cv::Rect box = view.face_box();
  if (box.width < 32 || box.height < 32) return undetermined();
  int64_t border = 0, inside = 0, borders = 0, insides = 0;
  const auto step = [](const uint8_t* a, const uint8_t* b) { return std::abs(a[1] - b[1]); };  // green
  for (int y = box.y; y < box.br().y; ++y) {
    const uint8_t* row = picture.ptr(y);
    const uint8_t* above = y > 0 ? picture.ptr(y - 1) : row;
    for (int x = std::max(1, box.x); x < box.br().x; ++x) {
      const int across = step(row + 3 * x, row + 3 * (x - 1));
      (x % 8 == 0 ? border : inside) += across;
      ++(x % 8 == 0 ? borders : insides);
      if (y == 0) continue;
      const int down = step(row + 3 * x, above + 3 * x);
      (y % 8 == 0 ? border : inside) += down;
      ++(y % 8 == 0 ? borders : insides);
    }
  }
  if (inside == 0 || borders == 0) return undetermined();
  const double ratio = static_cast<double>(border) / static_cast<double>(borders) *
                       static_cast<double>(insides) / static_cast<double>(inside);
  return mapped(ratio, 100 - 50 * std::max(0.0, ratio - 1));
}

}  // namespace visage::quality
