// SkinTexture (ours, 7.4d): the grain of the cheeks over that of the smoothest parts around the face. One
// camera gives both the same noise, and skin has pores besides: less than the surroundings is a face that was
// smoothed or put in. A picture that was smoothed as a whole, or shrunk afterwards, does not show it.
#include <opencv2/imgproc.hpp>

#include "sidecar/quality/measures.h"

namespace visage::quality {
namespace {

constexpr int kBlock = 8;  // px of the picture

// Standard deviation of the noise in a block by Immerkaer (Computer Vision and Image Understanding 64, 1996):
// what is left of the green channel when planes and edges along an axis are taken away. Negative when the
// block is too dark or too bright to show noise.
double grain(const cv::Mat& picture, int left, int top) {
  constexpr int kWeights[3][3] = {{1, -2, 1}, {-2, 4, -2}, {1, -2, 1}};
  constexpr int kDark = 25, kBright = 235;
  int level = 0, sum = 0;
  for (int y = top + 1; y < top + kBlock - 1; ++y)
    for (int x = left + 1; x < left + kBlock - 1; ++x) {
      int value = 0;
      for (int j = 0; j < 3; ++j)
        for (int i = 0; i < 3; ++i) value += kWeights[j][i] * picture.ptr(y + j - 1)[3 * (x + i - 1) + 1];
      sum += std::abs(value);
      level += picture.ptr(y)[3 * x + 1];
    }
  constexpr double kPixels = (kBlock - 2) * (kBlock - 2);
  if (level < kDark * kPixels || level > kBright * kPixels) return -1;
  return std::sqrt(M_PI / 2) / 6 * sum / kPixels;
}

// Of the blocks in an area, every `step`th across and down, those that `takes` their middle.
template <typename Takes>
std::vector<double> grains(const cv::Mat& picture, cv::Rect area, int step, Takes takes) {
  std::vector<double> out;
  area &= cv::Rect({}, picture.size());
  for (int y = area.y; y + kBlock <= area.br().y; y += step)
    for (int x = area.x; x + kBlock <= area.br().x; x += step) {
      if (!takes(capture::Point(static_cast<float>(x + kBlock / 2), static_cast<float>(y + kBlock / 2))))
        continue;
      if (const double value = grain(picture, x, y); value >= 0) out.push_back(value);
    }
  return out;
}

double percentile(std::vector<double>& values, size_t percent) {
  const auto at = values.begin() + static_cast<long>((values.size() - 1) * percent / 100);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

Reading skin_texture(const View& view) {
  constexpr uint16_t kCheeks[] = {50, 280};
  constexpr size_t kFewest = 8, kFewestAround = 40;
  constexpr int kMostAcross = 24;      // blocks around the face, across and down
  constexpr double kLeastNoise = 0.4;  // grey levels; less is what a codec leaves of noise
  const cv::Mat& picture = view.scene.picture;
  const int side = cvRound(0.4f * view.eye_distance);
  std::vector<double> skin;
  for (const uint16_t cheek : kCheeks) {
    const capture::Point p = view.scene.mesh.points[cheek];
    const cv::Rect square(cvRound(p.x) - side / 2, cvRound(p.y) - side / 2, side, side);
    for (const double value : grains(picture, square, kBlock, [](capture::Point) { return true; }))
      skin.push_back(value);
  }
  std::vector<capture::Point> outline, hull;
  capture::Point middle(0, 0);
  for (const uint16_t index : face_outline())
    middle += view.scene.mesh.points[index] / static_cast<float>(face_outline().size());
  constexpr float kGrown = 1.5f;  // hair, ears and neck are left out too
  for (const uint16_t index : face_outline())
    outline.push_back(middle + kGrown * (view.scene.mesh.points[index] - middle));
  cv::convexHull(outline, hull);
  const int step = std::max(kBlock, std::max(picture.cols, picture.rows) / kMostAcross);
  std::vector<double> around = grains(picture, cv::Rect({}, picture.size()), step, [&](capture::Point p) {
    return cv::pointPolygonTest(hull, p, false) < 0;
  });
  if (skin.size() < kFewest || around.size() < kFewestAround) return undetermined();
  // The smoothest fifth: the rest may be hair, cloth and leaves.
  const double noise = percentile(around, 20);
  if (noise < kLeastNoise) return undetermined();
  const double ratio = percentile(skin, 50) / noise;
  return mapped(ratio, 100 * std::min(1.0, ratio));
}

}  // namespace visage::quality
