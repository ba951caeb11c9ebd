// NaturalColour (0x4b): distance of the cheeks' mean colour from the range of skin, CIELAB (D50).
#include "sidecar/quality/colour.h"
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading natural_colour(const View& view) {
  const auto squares = view.cheeks();
  if (squares[0].empty() || squares[1].empty()) return undetermined();
  double sum[3] = {}, differing = 0;
  for (const cv::Rect& square : squares)
    for (int y = square.y; y < square.br().y; ++y) {
      const uint8_t* pixel = view.face.ptr(y) + 3 * square.x;
      for (int x = 0; x < square.width; ++x, pixel += 3) {
        for (int c = 0; c < 3; ++c) sum[c] += linear(pixel[c]);
        differing += pixel[0] != pixel[1] || pixel[1] != pixel[2];
      }
    }
  // A grey picture has no colour to be judged. OFIQ gives it full marks.
  if (differing == 0) return undetermined();
  const double count = 2.0 * squares[0].area();
  const Lab lab = to_lab(sum[2] / count, sum[1] / count, sum[0] / count, White::kD50);
  double distance = 100;
  if (lab.a >= 0 && lab.b >= 0)
    distance = std::hypot(std::max({0.0, 5 - lab.a, lab.a - 25}), std::max({0.0, 5 - lab.b, lab.b - 35}));
  return mapped(distance, 200 * (1 - sigmoid(distance, 0, 10)));
}

}  // namespace visage::quality
