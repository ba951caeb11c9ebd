// EyeGlare (ours): share of the eye zones that is burnt out, as by light on glasses. The light that every eye
// reflects is a dot.
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading eye_glare(const View& view) {
  constexpr uint8_t kBurnt = 245;
  int all = 0, burnt = 0;
  for (const cv::Rect& zone : view.eye_zones())
    for (int y = zone.y; y < zone.y + zone.height; ++y) {
      const uint8_t *in_hull = view.hull.ptr(y) + zone.x, *pixel = view.face.ptr(y) + 3 * zone.x;
      for (int x = 0; x < zone.width; ++x, pixel += 3) {
        if (in_hull[x] == 0) continue;
        ++all;
        burnt += std::min({pixel[0], pixel[1], pixel[2]}) >= kBurnt;
      }
    }
  if (all == 0) return undetermined();
  const double share = static_cast<double>(burnt) / all;
  return mapped(share, 100 - 1000 * share);
}

}  // namespace visage::quality
