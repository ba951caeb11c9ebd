#include "sidecar/liveness/depth_points.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

namespace visage::liveness {
namespace {

// The face from brows to chin, a little inside of its outline, where depth is the background's as often as
// not.
constexpr uint16_t kOutline[] = {54,  103, 67,  109, 10,  338, 297, 332, 284, 251, 389, 356,
                                 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148,
                                 176, 149, 150, 136, 172, 58,  132, 93,  234, 127, 162, 21};
constexpr float kShrunk = 0.85f;
constexpr size_t kMostPoints = 4000;
// Of the image's width, when the camera does not say: some 60 degrees across.
constexpr float kUsualFocal = 0.87f;

class Projector {
 public:
  Projector(const quality::DepthFrame& depth, cv::Size picture) : depth_(depth), picture_(picture) {
    const quality::DepthSettings& s = depth.settings;
    const bool known = s.fx > 0 && s.fy > 0;
    fx_ = known ? s.fx : kUsualFocal * static_cast<float>(depth.steps.cols);
    fy_ = known ? s.fy : fx_;
    cx_ = s.cx > 0 ? s.cx : static_cast<float>(depth.steps.cols) / 2;
    cy_ = s.cy > 0 ? s.cy : static_cast<float>(depth.steps.rows) / 2;
  }

  capture::Point in_map(capture::Point p) const { return depth_.place(p, picture_); }
  // z = 0 where nothing was measured.
  Point3 at(int x, int y) const {
    return at({static_cast<float>(x), static_cast<float>(y)}, depth_.millimetres(x, y));
  }
  // By the median of a small square around a point of the mesh.
  Point3 around(capture::Point p, int radius) const {
    const capture::Point middle = in_map(p);
    return at(middle, depth_.median_around(middle, radius));
  }

 private:
  Point3 at(capture::Point p, float z) const { return {(p.x - cx_) / fx_ * z, (p.y - cy_) / fy_ * z, z}; }

  const quality::DepthFrame& depth_;
  cv::Size picture_;
  float fx_, fy_, cx_, cy_;
};

}  // namespace

DepthFace depth_face(const quality::DepthFrame& depth, cv::Size picture, const capture::Mesh& mesh) {
  DepthFace out;
  out.metric = depth.settings.fx > 0;
  const Projector projector(depth, picture);
  capture::Point middle(0, 0);
  for (const uint16_t index : kOutline)
    middle += mesh.points[index] / static_cast<float>(std::size(kOutline));
  std::vector<capture::Point> outline, hull;
  for (const uint16_t index : kOutline)
    outline.push_back(projector.in_map(middle + kShrunk * (mesh.points[index] - middle)));
  cv::convexHull(outline, hull);
  std::vector<cv::Point> rounded;
  for (const capture::Point& p : hull) rounded.emplace_back(cvRound(p.x), cvRound(p.y));
  cv::Mat mask = cv::Mat::zeros(depth.steps.size(), CV_8U);
  cv::fillConvexPoly(mask, rounded, 255);
  const cv::Rect area = cv::boundingRect(rounded) & cv::Rect({}, mask.size());
  const int step = std::max(1, cvFloor(std::sqrt(static_cast<double>(area.area()) / kMostPoints)));
  for (int y = area.y; y < area.br().y; y += step)
    for (int x = area.x; x < area.br().x; x += step)
      if (mask.at<uint8_t>(y, x) != 0 && depth.steps.at<uint16_t>(y, x) != 0)
        out.surface.push_back(projector.at(x, y));
  const float eyes = capture::distance(projector.in_map(mesh.points[33]), projector.in_map(mesh.points[263]));
  const int radius = std::max(1, cvRound(0.04f * eyes));
  const capture::FivePoints five = capture::five_points(mesh);
  out.nose = projector.around(five.nose, radius);
  out.cheeks = {projector.around(mesh.points[50], radius), projector.around(mesh.points[280], radius)};
  out.eyes = {projector.around(five.left_eye, radius), projector.around(five.right_eye, radius)};
  for (size_t i = 0; i < capture::kMeshPoints; i += 3) {
    const capture::Point p = projector.in_map(mesh.points[i]);
    if (cv::pointPolygonTest(hull, p, false) < 0) continue;
    const Point3 measured = projector.around(mesh.points[i], std::max(1, radius / 2));
    if (measured.z() > 0) out.pairs.push_back({measured, mesh.depth[i]});
  }
  return out;
}

}  // namespace visage::liveness
