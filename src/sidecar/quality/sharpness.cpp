// Sharpness (0x49) by the blur effect of Crété-Roffet, Dolmiere, Ladret and Nicolas ("The blur effect:
// perception and estimation with a new no-reference perceptual blur metric", 2007), not by OFIQ's random
// forest: what a blur takes away of the differences between neighbours. A sharp face loses much, a blurred
// one little.
#include <opencv2/imgproc.hpp>

#include "sidecar/quality/measures.h"

namespace visage::quality {
namespace {

// Share of the variation along one axis that the low-pass takes away, inside the hull; 0…1.
double lost(const cv::Mat& grey, const cv::Mat& hull, int hull_pixels, bool vertical) {
  constexpr int kLength = 9;  // of the low-pass, as in the paper
  // A blurred slope in 8 bits is a flight of stairs of one level, whose edges are as sharp as can be: steps
  // count from two levels, and a face that has next to none of them has no detail.
  constexpr int kStep = 2, kFewest = 500;  // kFewest: one pixel in so many
  cv::Mat low;
  cv::blur(grey, low, vertical ? cv::Size(1, kLength) : cv::Size(kLength, 1));
  const int dx = vertical ? 0 : 1, dy = vertical ? 1 : 0;
  int64_t all = 0, taken = 0, steps = 0;
  for (int y = dy; y < grey.rows; ++y) {
    const uint8_t *here = grey.ptr(y), *before = grey.ptr(y - dy) - dx;
    const uint8_t *low_here = low.ptr(y), *low_before = low.ptr(y - dy) - dx, *inside = hull.ptr(y);
    for (int x = dx; x < grey.cols; ++x) {
      const int difference = std::abs(here[x] - before[x]);
      if (inside[x] == 0 || difference < kStep) continue;
      ++steps;
      all += difference;
      taken += std::max(0, difference - std::abs(low_here[x] - low_before[x]));
    }
  }
  return steps * kFewest < hull_pixels ? 0 : static_cast<double>(taken) / static_cast<double>(all);
}

}  // namespace

Reading sharpness(const View& view) {
  constexpr int kFewest = 1000;  // px
  if (view.hull_pixels < kFewest) return undetermined();
  cv::Mat smooth;
  cv::GaussianBlur(view.grey, smooth, {3, 3}, 0);  // single-pixel noise is not sharpness
  // The blur that is worse decides: a moved camera blurs along one axis.
  const double sharp = std::min(lost(smooth, view.hull, view.hull_pixels, false),
                                lost(smooth, view.hull, view.hull_pixels, true));
  return mapped(sharp, 100 * sigmoid(sharp, 0.25, 0.06));
}

}  // namespace visage::quality
