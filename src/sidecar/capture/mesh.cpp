#include "sidecar/capture/mesh.h"

#include <algorithm>
#include <cmath>

#include "sidecar/capture/tensor.h"

namespace visage::capture {
namespace {

constexpr int kSide = 256;
constexpr float kCropScale = 1.5f;

// Indices of MediaPipe's canonical face model; "left" is the image's left.
constexpr size_t kLeftEyeOuter = 33, kLeftEyeInner = 133, kRightEyeInner = 362, kRightEyeOuter = 263;
constexpr size_t kNoseTip = 4, kLeftMouth = 61, kRightMouth = 291, kChin = 152;

float level_angle(Point left, Point right) {
  return std::atan2(right.y - left.y, right.x - left.x);
}

}  // namespace

std::unique_ptr<Mesher> Mesher::create(std::unique_ptr<Session> session, std::string& error) {
  if (session->inputs()[0] != Shape{1, kSide, kSide, 3} || session->outputs().size() != 3 ||
      session->output_size(0) != kMeshPoints * 3 || session->output_size(1) != 1) {
    error = "not a 478-point face mesh network";
    return nullptr;
  }
  return std::unique_ptr<Mesher>(new Mesher(std::move(session)));
}

Similarity mesh_crop(const Detection& face) {
  return Similarity::square(center(face.box), kCropScale * std::max(face.box.width, face.box.height),
                            level_angle(face.points[kLeftEye], face.points[kRightEye]), kSide);
}

Similarity mesh_crop(const Mesh& mesh) {
  // The box is measured in the turned frame, so that a tilted head gets no larger crop than an upright one.
  const float angle = level_angle(mesh.points[kLeftEyeOuter], mesh.points[kRightEyeOuter]);
  const Similarity level{std::cos(angle), -std::sin(angle), 0, 0};
  Point low(1e9f, 1e9f), high(-1e9f, -1e9f);
  for (const Point& point : mesh.points) {
    const Point p = level(point);
    low = {std::min(low.x, p.x), std::min(low.y, p.y)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y)};
  }
  const Point middle = level.inverse()((low + high) / 2);
  return Similarity::square(middle, kCropScale * std::max(high.x - low.x, high.y - low.y), angle, kSide);
}

Status Mesher::fit(const cv::Mat& image, const Similarity& crop, Mesh& out) const {
  cv::Mat face;
  warp(image, crop, {kSide, kSide}, face);
  WipedVector<float> input(kSide * kSide * 3), points(kMeshPoints * 3);
  to_tensor(face, Channels::kRgb, Layout::kNhwc, 1 / 255.0f, 0, input);
  float presence = 0, tongue = 0;
  const std::span<float> outputs[] = {points, {&presence, 1}, {&tongue, 1}};
  VISAGE_TRY(session_->run(input, outputs));
  // The network's coordinates count from the corner of the first pixel, ours from its middle.
  const Similarity back = crop.inverse();
  for (size_t i = 0; i < kMeshPoints; ++i) {
    out.points[i] = back({points[3 * i] - 0.5f, points[3 * i + 1] - 0.5f});
    out.depth[i] = points[3 * i + 2] * back.scale();
    // What measures and draws them rounds to whole pixels: neither NaN nor something astronomic may get
    // there.
    constexpr float kFar = 1e6f;
    if (!(std::abs(out.points[i].x) < kFar && std::abs(out.points[i].y) < kFar &&
          std::abs(out.depth[i]) < kFar))
      return Status::error(Code::kInternal, "the mesh network gave points that are no points");
  }
  out.presence = 1 / (1 + std::exp(-presence));
  return {};
}

FivePoints five_points(const Mesh& mesh) {
  const auto& p = mesh.points;
  return {(p[kLeftEyeOuter] + p[kLeftEyeInner]) / 2, (p[kRightEyeOuter] + p[kRightEyeInner]) / 2, p[kNoseTip],
          p[kLeftMouth], p[kRightMouth]};
}

float eyes_to_chin(const Mesh& mesh) {
  const FivePoints five = five_points(mesh);
  return distance((five.left_eye + five.right_eye) / 2, mesh.points[kChin]);
}

}  // namespace visage::capture
