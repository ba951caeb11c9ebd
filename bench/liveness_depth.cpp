// Depth maps of heads and of what stands in for them.
#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "liveness_made.h"

namespace visage::bench {
namespace {

using capture::Point;

// The mesh network's own guess of the face's depth, px, between its points; far away outside of them. It has
// eyes, lips, chin and cheekbones, which the ellipsoid lacks.
cv::Mat mesh_relief(cv::Size size, const capture::Mesh& mesh) {
  constexpr size_t kPointsOfSkin = 468;  // those of the irises lie among them
  constexpr float kFar = 1e4f;
  cv::Mat out(size, CV_32F, cv::Scalar(static_cast<double>(kFar)));
  const cv::Rect frame(cv::Point(), size);
  cv::Subdiv2D division(frame);
  std::vector<std::pair<Point, float>> known;
  for (size_t i = 0; i < kPointsOfSkin; ++i) {
    const Point& p = mesh.points[i];
    if (!frame.contains(cv::Point(cvFloor(p.x), cvFloor(p.y)))) continue;
    division.insert(p);
    known.emplace_back(p, mesh.depth[i]);
  }
  const auto depth_at = [&](Point at) {
    for (const auto& [p, depth] : known)
      if (std::abs(p.x - at.x) < 1e-3f && std::abs(p.y - at.y) < 1e-3f) return depth;
    return kFar;
  };
  std::vector<cv::Vec6f> triangles;
  division.getTriangleList(triangles);
  for (const cv::Vec6f& t : triangles) {
    const std::array<Point, 3> corner = {Point(t[0], t[1]), Point(t[2], t[3]), Point(t[4], t[5])};
    const std::array<float, 3> z = {depth_at(corner[0]), depth_at(corner[1]), depth_at(corner[2])};
    if (*std::max_element(z.begin(), z.end()) >= kFar) continue;
    const Point u = corner[1] - corner[0], v = corner[2] - corner[0];
    const float area = u.x * v.y - u.y * v.x;
    if (std::abs(area) < 1e-6f) continue;
    const cv::Rect box = cv::boundingRect(std::vector<Point>(corner.begin(), corner.end())) & frame;
    for (int y = box.y; y < box.br().y; ++y)
      for (int x = box.x; x < box.br().x; ++x) {
        const Point p = Point(static_cast<float>(x), static_cast<float>(y)) - corner[0];
        const float s = (p.x * v.y - p.y * v.x) / area, r = (u.x * p.y - u.y * p.x) / area;
        if (s < -0.001f || r < -0.001f || s + r > 1.001f) continue;
        out.at<float>(y, x) = z[0] + s * (z[1] - z[0]) + r * (z[2] - z[0]);
      }
  }
  return out;
}

}  // namespace

quality::DepthFrame make_depth(Shape shape, cv::Size size, const capture::Mesh& mesh, Random& random) {
  const capture::FivePoints five = capture::five_points(mesh);
  const float eyes = capture::distance(five.left_eye, five.right_eye);
  const float distance = uniform(random, 350, 600), millimetre = 62 * uniform(random, 0.9f, 1.1f) / eyes;
  const Point eye_middle = (five.left_eye + five.right_eye) / 2,
              mouth = (five.left_mouth + five.right_mouth) / 2;
  const Point middle = 0.5f * eye_middle + 0.5f * mouth;
  const Point shift = shape == Shape::kElsewhere
                          ? Point(uniform(random, 0.7f, 1.2f) * eyes, uniform(random, -0.6f, 0.6f) * eyes)
                          : Point(0, 0);
  const Point tip = (five.nose - middle) * millimetre;
  const float wide = uniform(random, 70, 84), high = uniform(random, 100, 120),
              deep = uniform(random, 80, 105);
  const float out_of_face = uniform(random, 16, 24), tilt_x = uniform(random, -0.35f, 0.35f),
              tilt_y = uniform(random, -0.2f, 0.2f);
  const float radius = uniform(random, 75, 300), angle = uniform(random, 0, static_cast<float>(M_PI)),
              slope = uniform(random, 0.3f, 1);
  const float noise = uniform(random, 0.3f, 2.5f);
  const bool paper_is_flat = random() % 2 == 0;
  const cv::Mat relief =
      shape == Shape::kMeshHead ? mesh_relief(size, mesh) * static_cast<double>(millimetre) : cv::Mat();
  std::normal_distribution<float> normal(0, noise);
  quality::DepthFrame out;
  out.settings.fx = out.settings.fy = distance / millimetre;
  out.settings.cx = static_cast<float>(size.width) / 2;
  out.settings.cy = static_cast<float>(size.height) / 2;
  out.steps.create(size, CV_16U);
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x) {
      const Point p = (Point(static_cast<float>(x), static_cast<float>(y)) - middle - shift) * millimetre;
      const float u = std::cos(angle) * p.x + std::sin(angle) * p.y;
      const float r = p.x * p.x / (wide * wide) + p.y * p.y / (high * high);
      const float body = r < 1 ? deep * (1 - std::sqrt(1 - r)) : 800;
      const Point q = p - tip;
      const float nose = out_of_face * std::exp(-(q.x * q.x / 160 + q.y * q.y / (q.y < 0 ? 700.0f : 160.0f)));
      float z = 0;
      switch (shape) {
        case Shape::kHead:
        case Shape::kElsewhere:
          z = body - nose + tilt_x * p.x + tilt_y * p.y;
          break;
        case Shape::kMeshHead:
          z = relief.at<float>(y, x) + tilt_x * p.x + tilt_y * p.y;
          break;
        case Shape::kPierced:
          z = std::min(paper_is_flat          ? 1.5f * tilt_x * p.x
                       : std::abs(u) < radius ? radius - std::sqrt(radius * radius - u * u)
                                              : 800,
                       800.0f) -
              nose;
          break;
        case Shape::kPlane:
          z = 1.5f * tilt_x * p.x + 1.5f * tilt_y * p.y;
          break;
        case Shape::kBent:
          z = std::abs(u) < radius ? radius - std::sqrt(radius * radius - u * u) : 800;
          break;
        case Shape::kFolded:
          z = slope * std::abs(u);
          break;
        case Shape::kHollow:
          z = r < 1 ? nose - body : 800;
          break;
        case Shape::kUniform:
          z = 0;
          break;
        case Shape::kSmooth:
          z = body;
          break;
      }
      const float measured = distance + std::min(z, 800.0f) + (shape == Shape::kUniform ? 0 : normal(random));
      out.steps.at<uint16_t>(y, x) = shape != Shape::kUniform && random() % 50 == 0
                                         ? 0
                                         : static_cast<uint16_t>(std::max(1.0f, std::round(measured)));
    }
  return out;
}

}  // namespace visage::bench
