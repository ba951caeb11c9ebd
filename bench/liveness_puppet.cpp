#include <algorithm>
#include <cmath>
#include <numeric>
#include <opencv2/imgproc.hpp>

#include "liveness_made.h"

namespace visage::bench {
namespace {

using capture::Point;

constexpr size_t kPoints = capture::kMeshPoints;
constexpr float kRadians = static_cast<float>(M_PI / 180);

// Upper and lower lid, as far apart as the eye is open.
constexpr uint16_t kLids[][2] = {{159, 145}, {158, 153}, {157, 154}, {160, 144}, {161, 163},
                                 {246, 7},   {173, 155}, {386, 374}, {385, 380}, {384, 381},
                                 {387, 373}, {388, 390}, {466, 249}, {398, 382}};
constexpr uint16_t kLowerLip[] = {14,  87,  178, 88,  95,  317, 402, 318, 324, 15,  86,  179, 89,  96,  316,
                                  403, 319, 325, 16,  85,  180, 90,  77,  315, 404, 320, 307, 17,  84,  181,
                                  91,  146, 314, 405, 321, 375, 18,  83,  182, 106, 43,  313, 406, 335, 273,
                                  200, 201, 421, 199, 208, 428, 175, 171, 396, 152, 148, 377, 176, 400};

}  // namespace

Puppet::Puppet(const cv::Mat& portrait, const capture::Mesh& mesh) : portrait_(portrait), mesh_(mesh) {
  const float w = static_cast<float>(portrait.cols - 1), h = static_cast<float>(portrait.rows - 1);
  from_.assign(mesh.points.begin(), mesh.points.end());
  for (int i = 0; i < 8; ++i) {
    const float t = static_cast<float>(i) / 8;
    for (const Point p : {Point(t * w, 0), Point(w, t * h), Point(w - t * w, h), Point(0, h - t * h)})
      from_.push_back(p);
  }
  cv::Subdiv2D division(cv::Rect(-2, -2, portrait.cols + 4, portrait.rows + 4));
  // Iris points lie among those of the eye and would fold.
  std::vector<std::pair<Point, int>> known;
  for (size_t i = 0; i < from_.size(); ++i) {
    if (i >= 468 && i < kPoints) continue;
    const Point& p = from_[i];
    if (p.x < 0 || p.y < 0 || p.x > w || p.y > h) continue;
    division.insert(p);
    known.emplace_back(p, static_cast<int>(i));
  }
  std::vector<cv::Vec6f> list;
  division.getTriangleList(list);
  const auto find = [&](float x, float y) {
    for (const auto& [p, i] : known)
      if (std::abs(p.x - x) < 1e-3f && std::abs(p.y - y) < 1e-3f) return i;
    return -1;
  };
  for (const cv::Vec6f& t : list) {
    const cv::Vec3i corners(find(t[0], t[1]), find(t[2], t[3]), find(t[4], t[5]));
    if (corners[0] >= 0 && corners[1] >= 0 && corners[2] >= 0) triangles_.push_back(corners);
  }
}

cv::Mat Puppet::show(const Pose& pose) const {
  std::vector<Point> to = from_;
  std::vector<float> depth(from_.size(), 1e6f);
  std::vector<cv::Point3f> space(kPoints);
  const float eyes = capture::distance(from_[33], from_[263]), chin = from_[152].y - from_[1].y;
  for (size_t i = 0; i < kPoints; ++i) space[i] = {from_[i].x, from_[i].y, mesh_.depth[i]};
  for (const auto& lid : kLids) space[lid[0]] += pose.blink * 0.95f * (space[lid[1]] - space[lid[0]]);
  for (const uint16_t i : kLowerLip) space[i].y += pose.open * 0.45f * chin;
  for (const int side : {-1, 1}) {
    const uint16_t corner = side < 0 ? 61 : 291;
    const Point middle = from_[corner];
    for (size_t i = 0; i < kPoints; ++i) {
      const float d = capture::distance(from_[i], middle) / (0.35f * eyes), weight = std::exp(-d * d);
      space[i].x += pose.smile * weight * 0.22f * eyes * static_cast<float>(side);
      space[i].y -= pose.smile * weight * 0.14f * eyes;
    }
  }
  // The head turns around its neck, behind the face.
  const cv::Point3f pivot(from_[168].x, from_[152].y - 0.3f * chin, mesh_.depth[168] + 1.0f * eyes);
  const float cy = std::cos(pose.yaw * kRadians), sy = std::sin(pose.yaw * kRadians);
  const float cx = std::cos(pose.pitch * kRadians), sx = std::sin(pose.pitch * kRadians);
  const float focal = 6 * eyes;
  for (size_t i = 0; i < kPoints; ++i) {
    const cv::Point3f p = space[i] - pivot;
    // Depth grows away from the camera: to the person's left is towards larger x of what is nearer.
    const float x = cy * p.x - sy * p.z, z = sy * p.x + cy * p.z;
    const float y = cx * p.y - sx * z, z2 = sx * p.y + cx * z;
    const float scale = focal / (focal + z2 - (mesh_.depth[168] - pivot.z));
    to[i] = {pivot.x + scale * x, pivot.y + scale * y};
    depth[i] = z2;
  }
  // Far triangles first, near ones over them.
  std::vector<size_t> order(triangles_.size());
  std::iota(order.begin(), order.end(), 0);
  const auto far = [&](size_t t) {
    const cv::Vec3i& c = triangles_[t];
    return depth[static_cast<size_t>(c[0])] + depth[static_cast<size_t>(c[1])] +
           depth[static_cast<size_t>(c[2])];
  };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return far(a) > far(b); });
  cv::Mat map(portrait_.size(), CV_32FC2);
  for (int y = 0; y < map.rows; ++y)
    for (int x = 0; x < map.cols; ++x)
      map.at<cv::Vec2f>(y, x) = {static_cast<float>(x), static_cast<float>(y)};
  for (const size_t t : order) {
    const auto a = static_cast<size_t>(triangles_[t][0]), b = static_cast<size_t>(triangles_[t][1]),
               c = static_cast<size_t>(triangles_[t][2]);
    const Point u = to[b] - to[a], v = to[c] - to[a];
    const float area = u.x * v.y - u.y * v.x;
    if (std::abs(area) < 1e-6f) continue;
    const std::vector<Point> corners = {to[a], to[b], to[c]};
    const cv::Rect box = cv::boundingRect(corners) & cv::Rect({}, map.size());
    for (int y = box.y; y < box.br().y; ++y)
      for (int x = box.x; x < box.br().x; ++x) {
        const Point p = Point(static_cast<float>(x), static_cast<float>(y)) - to[a];
        const float s = (p.x * v.y - p.y * v.x) / area, r = (u.x * p.y - u.y * p.x) / area;
        if (s < -0.001f || r < -0.001f || s + r > 1.001f) continue;
        const Point q = from_[a] + s * (from_[b] - from_[a]) + r * (from_[c] - from_[a]);
        map.at<cv::Vec2f>(y, x) = {q.x, q.y};
      }
  }
  cv::Mat out;
  cv::remap(portrait_, out, map, cv::noArray(), cv::INTER_LINEAR, cv::BORDER_REPLICATE);
  return out;
}

}  // namespace visage::bench
