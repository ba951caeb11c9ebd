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
  return view.scene.depth->place(point, view.scene.picture.size());
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
  const DepthFrame& depth = *view.scene.depth;
  const float scale = static_cast<float>(depth.steps.cols) / static_cast<float>(view.scene.picture.cols);
  const int radius = std::max(1, cvRound(radius_in_eye_distances * view.eye_distance * scale));
  return depth.median_around(to_depth(view, view.scene.mesh.points[mesh_point]), radius);
}

}  // namespace visage::quality
