#include "sidecar/quality/occlusion.h"

#include <cmath>

namespace visage::quality {
namespace {

// CIELAB units. A person's skin varies by about 5 over the face, cheeks and lips are redder than the rest.
constexpr float kNotSkin = 18, kRedder = 34;
// Of the cheeks' lightness: lighter is paper or cloth; darker than this says nothing by its colour.
constexpr float kBright = 1.45f, kColourless = 0.5f;
constexpr int kFewest = 40;  // pixels at half resolution

}  // namespace

// The colour of skin is a narrow range whatever its shade. In 8-bit OpenCV units, 128 is neutral.
bool is_skin(const Skin& skin) {
  return skin.known && skin.lightness > 40 && skin.a > 128 && skin.b > 124 && skin.a < 175 && skin.b < 185;
}

double foreign_share(const View& view, const cv::Mat& mask, float dark) {
  const Skin& skin = view.skin;
  if (!is_skin(skin)) return -1;
  int all = 0, foreign = 0;
  for (int y = 0; y < view.lab.rows; ++y) {
    const uint8_t *inside = mask.ptr(2 * y), *in_hull = view.hull.ptr(2 * y), *pixel = view.lab.ptr(y);
    for (int x = 0; x < view.lab.cols; ++x, pixel += 3) {
      if (inside[2 * x] == 0 || in_hull[2 * x] == 0) continue;
      ++all;
      const float a = static_cast<float>(pixel[1]) - skin.a, b = static_cast<float>(pixel[2]) - skin.b;
      const float lightness = static_cast<float>(pixel[0]);
      const float limit = a > 0 ? kRedder : kNotSkin;
      if (lightness < kColourless * skin.lightness)
        foreign += lightness < dark * skin.lightness;
      else
        foreign += std::hypot(a, b) > limit || lightness > kBright * skin.lightness;
    }
  }
  return all < kFewest ? -1 : static_cast<double>(foreign) / all;
}

}  // namespace visage::quality
