// DepthNoise (ours, 7.5h): how far the measured points of the cheeks lie from a plane through their next
// neighbours, mm, root mean square. The standard asks for an accuracy of 3 mm at 50 cm; without a thing of
// known shape only the noise can be seen.
#include "sidecar/quality/depth_view.h"
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading depth_noise(const View& view) {
  constexpr uint16_t kCheeks[] = {50, 280};
  constexpr int kFewest = 50;
  if (view.scene.depth == nullptr) return undetermined();
  const cv::Mat& steps = view.scene.depth->steps;
  const float scale = static_cast<float>(steps.cols) / static_cast<float>(view.scene.picture.cols);
  const int radius = std::max(3, cvRound(0.15f * view.eye_distance * scale));
  double sum = 0;
  int count = 0;
  for (const uint16_t cheek : kCheeks) {
    const capture::Point p = to_depth(view, view.scene.mesh.points[cheek]);
    const cv::Rect square =
        cv::Rect(cvRound(p.x) - radius, cvRound(p.y) - radius, 2 * radius + 1, 2 * radius + 1) &
        cv::Rect(1, 1, steps.cols - 2, steps.rows - 2);
    for (int y = square.y; y < square.br().y; ++y)
      for (int x = square.x; x < square.br().x; ++x) {
        const auto at = [&](int dx, int dy) { return static_cast<int>(steps.at<uint16_t>(y + dy, x + dx)); };
        const int middle = at(0, 0), left = at(-1, 0), right = at(1, 0), up = at(0, -1), down = at(0, 1);
        if (middle == 0 || left == 0 || right == 0 || up == 0 || down == 0) continue;
        // The mean of four neighbours is the plane through them; of independent noise σ the difference has
        // the variance σ²·(1 + 1/4).
        const double off = middle - (left + right + up + down) / 4.0;
        sum += off * off / 1.25;
        ++count;
      }
  }
  if (count < kFewest) return undetermined();
  const double noise = std::sqrt(sum / count) * view.scene.depth->settings.unit_mm;
  return mapped(noise, 100 * (1 - sigmoid(noise, 3, 0.75)));
}

}  // namespace visage::quality
