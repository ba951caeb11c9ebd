#include "sidecar/quality/depth_view.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

namespace visage::quality {
namespace {

void fill_hull(const View& view, std::span<const uint16_t> indices, float grow, cv::Mat& mask) {
  std::vector<capture::Point> points;
  capture::Point middle(0, 0);
  for (const uint16_t index : indices)
    middle += to_depth(view, view.scene.mesh.points[index]) / static_cast<float>(indices.size());
  for (const uint16_t index : indices)
    points.push_back(middle + grow * (to_depth(view, view.scene.mesh.points[index]) - middle));
  std::vector<capture::Point> hull;
  cv::convexHull(points, hull);
  std::vector<cv::Point> rounded;
  for (const capture::Point& p : hull) rounded.emplace_back(cvRound(p.x), cvRound(p.y));
  cv::fillConvexPoly(mask, rounded, 255);
}

}  // namespace

capture::Point to_depth(const View& view, capture::Point point) {
  const cv::Mat& steps = view.scene.depth->steps;
  const float sx = static_cast<float>(steps.cols) / static_cast<float>(view.scene.picture.cols);
  const float sy = static_cast<float>(steps.rows) / static_cast<float>(view.scene.picture.rows);
  return {(point.x + 0.5f) * sx - 0.5f, (point.y + 0.5f) * sy - 0.5f};
}

cv::Mat depth_face(const View& view) {
  if (view.scene.depth == nullptr) return {};
  cv::Mat mask = cv::Mat::zeros(view.scene.depth->steps.size(), CV_8U);
  // The depth of a face's very edge is the background's as often as not.
  fill_hull(view, face_outline(), 0.92f, mask);
  return mask;
}

cv::Mat depth_features(const View& view) {
  if (view.scene.depth == nullptr) return {};
  constexpr uint16_t kNose[] = {168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 129, 358};
  cv::Mat mask = cv::Mat::zeros(view.scene.depth->steps.size(), CV_8U);
  fill_hull(view, left_eye_contour(), 1.5f, mask);
  fill_hull(view, right_eye_contour(), 1.5f, mask);
  fill_hull(view, kNose, 1.2f, mask);
  fill_hull(view, outer_lips(), 1.3f, mask);
  return mask;
}

float depth_at(const View& view, size_t mesh_point, float radius_in_eye_distances) {
  const cv::Mat& steps = view.scene.depth->steps;
  const capture::Point p = to_depth(view, view.scene.mesh.points[mesh_point]);
  const float scale = static_cast<float>(steps.cols) / static_cast<float>(view.scene.picture.cols);
  const int radius = std::max(1, cvRound(radius_in_eye_distances * view.eye_distance * scale));
  const cv::Rect square =
      cv::Rect(cvRound(p.x) - radius, cvRound(p.y) - radius, 2 * radius + 1, 2 * radius + 1) &
      cv::Rect({}, steps.size());
  std::vector<uint16_t> values;
  int all = 0;
  for (int y = square.y; y < square.br().y; ++y)
    for (int x = square.x; x < square.br().x; ++x, ++all)
      if (const uint16_t value = steps.at<uint16_t>(y, x); value != 0) values.push_back(value);
  if (values.empty() || 2 * static_cast<int>(values.size()) < all) return 0;
  const auto middle = values.begin() + static_cast<long>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return static_cast<float>(*middle) * view.scene.depth->settings.unit_mm;
}

}  // namespace visage::quality
