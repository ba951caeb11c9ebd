#include "quality_face.h"

#include <cmath>
#include <opencv2/imgproc.hpp>

namespace visage::quality::test {
namespace {

struct MeanPoint {
  float x, y, z;
};
constexpr MeanPoint kMean[] = {
#include "mean_mesh.inc"
};
static_assert(std::size(kMean) == capture::kMeshPoints);

constexpr double kOuterEyesMm = 90;

}  // namespace

MadeFace::MadeFace(cv::Size size, const cv::Scalar& colour, double outer_eyes, Turn turn,
                   capture::Point middle)
    : picture(size, CV_8UC3, colour) {
  const double yaw = turn.yaw * M_PI / 180, pitch = turn.pitch * M_PI / 180, roll = turn.roll * M_PI / 180;
  // The inverse of how Pose reads them: Rz(roll) · Ry(−yaw) · Rx(pitch), in axes right, down, away.
  const cv::Matx33d rx(1, 0, 0, 0, std::cos(pitch), -std::sin(pitch), 0, std::sin(pitch), std::cos(pitch));
  const cv::Matx33d ry(std::cos(yaw), 0, -std::sin(yaw), 0, 1, 0, std::sin(yaw), 0, std::cos(yaw));
  const cv::Matx33d rz(std::cos(roll), -std::sin(roll), 0, std::sin(roll), std::cos(roll), 0, 0, 0, 1);
  const cv::Matx33d rotation = rz * ry * rx;
  for (size_t i = 0; i < capture::kMeshPoints; ++i) {
    const cv::Vec3d p = rotation * cv::Vec3d(kMean[i].x, kMean[i].y, kMean[i].z) * outer_eyes;
    mesh.points[i] = middle + capture::Point(static_cast<float>(p[0]), static_cast<float>(p[1]));
    mesh.depth[i] = static_cast<float>(p[2]);
  }
  mesh.presence = 1;
  std::vector<capture::Point> points(mesh.points.begin(), mesh.points.end());
  capture::Detection face;
  face.score = 1;
  face.box = cv::boundingRect(points);
  faces.push_back(face);
}

View MadeFace::view() const {
  return View(
      {picture, file, faces, mesh, has_shapes ? &shapes : nullptr, depth.steps.empty() ? nullptr : &depth});
}

Reading MadeFace::read(probe::Measure measure) const {
  for (size_t i = 0; i < kMeasures; ++i)
    if (definitions()[i].id == measure) return functions()[i](view());
  return undetermined();
}

void MadeFace::paint(std::span<const uint16_t> outline, float grow, const cv::Scalar& colour) {
  capture::Point middle(0, 0);
  for (const uint16_t index : outline) middle += mesh.points[index] / static_cast<float>(outline.size());
  std::vector<cv::Point> points, hull;
  for (const uint16_t index : outline) points.emplace_back(middle + grow * (mesh.points[index] - middle));
  cv::convexHull(points, hull);
  cv::fillConvexPoly(picture, hull, colour);
}

void MadeFace::make_depth(cv::Size size, float distance_mm, float wall_mm) {
  depth.settings = {};
  depth.steps = cv::Mat(size, CV_16U, cv::Scalar(wall_mm));
  const float scale = static_cast<float>(size.width) / static_cast<float>(picture.cols);
  const float mm = static_cast<float>(kOuterEyesMm) / capture::distance(mesh.points[33], mesh.points[263]);
  std::vector<cv::Point> outline, hull;
  for (const auto& p : mesh.points) outline.emplace_back(p * scale);
  cv::convexHull(outline, hull);
  cv::Mat inside = cv::Mat::zeros(size, CV_8U);
  cv::fillConvexPoly(inside, hull, 255);
  // Smooth between the points: weights fall with the square of the distance.
  const cv::Rect box = cv::boundingRect(inside);
  for (int y = box.y; y < box.br().y; ++y)
    for (int x = box.x; x < box.br().x; ++x) {
      if (inside.at<uint8_t>(y, x) == 0) continue;
      float sum = 0, weights = 0;
      for (size_t i = 0; i < 468; ++i) {
        const capture::Point off =
            mesh.points[i] * scale - capture::Point(static_cast<float>(x), static_cast<float>(y));
        const float weight = 1 / (off.dot(off) * off.dot(off) + 20);
        sum += weight * mesh.depth[i];
        weights += weight;
      }
      depth.steps.at<uint16_t>(y, x) = cv::saturate_cast<uint16_t>(distance_mm + mm * sum / weights);
    }
}

}  // namespace visage::quality::test
