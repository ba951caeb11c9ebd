// GreyLevels (ours, 7.4j): does the picture have 256 grey levels? Share of the levels between the face's 5th
// and 95th percentile that occur; a picture of fewer bits, or one whose contrast was stretched, has gaps.
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading grey_levels(const View& view) {
  // In the picture itself: aligning interpolates, which would fill the gaps.
  const cv::Rect box = view.face_box();
  constexpr int kFewest = 5000;  // px; fewer cannot show all levels
  if (box.area() < kFewest) return undetermined();
  std::array<int, 256> histogram{};
  // Green alone: the sum of three channels has more levels than any of them.
  for (int y = box.y; y < box.br().y; ++y) {
    const uint8_t* pixel = view.scene.picture.ptr(y) + 3 * box.x + 1;
    for (int x = 0; x < box.width; ++x, pixel += 3) ++histogram[*pixel];
  }
  const auto percentile = [&](double share) {
    int rest = static_cast<int>(share * box.area());
    size_t level = 0;
    while (level < 255 && (rest -= histogram[level]) > 0) ++level;
    return level;
  };
  const size_t low = percentile(0.05), high = percentile(0.95);
  if (high < low + 16) return undetermined();  // flat: says nothing about its levels
  int used = 0;
  for (size_t level = low; level <= high; ++level) used += histogram[level] != 0;
  const double share = used / static_cast<double>(high - low + 1);
  return mapped(share, 100 * share);
}

}  // namespace visage::quality
