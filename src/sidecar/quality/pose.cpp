#include "sidecar/quality/pose.h"

#include <Eigen/Geometry>
#include <cmath>

namespace visage::quality {
namespace {

struct MeanPoint {
  uint16_t index;
  float x, y, z;  // in distances of the outer eye corners; x right, y down, z away from the camera
};

// Mean of the meshes of the 158 portraits that set-up fetches, made symmetric (bench/quality_mean_face.py).
// Points that speaking and smiling move are left out.
constexpr MeanPoint kMeanFace[] = {
    {1, 0.0000f, 0.3771f, -0.4782f},     {4, 0.0000f, 0.3003f, -0.5051f},
    {6, 0.0000f, -0.0456f, -0.2996f},    {168, 0.0000f, -0.1333f, -0.2501f},
    {9, 0.0000f, -0.3112f, -0.2747f},    {197, 0.0000f, 0.0389f, -0.3546f},
    {10, 0.0000f, -0.7135f, -0.2169f},   {151, 0.0000f, -0.5249f, -0.2501f},
    {8, 0.0000f, -0.2142f, -0.2566f},    {5, 0.0000f, 0.1994f, -0.4799f},
    {33, -0.5000f, -0.1006f, 0.0181f},   {263, 0.5000f, -0.1006f, 0.0181f},
    {133, -0.1929f, -0.0773f, -0.0430f}, {362, 0.1929f, -0.0773f, -0.0430f},
    {54, -0.6831f, -0.5039f, 0.1675f},   {284, 0.6831f, -0.5039f, 0.1675f},
    {67, -0.3993f, -0.6748f, -0.1172f},  {297, 0.3993f, -0.6748f, -0.1172f},
    {117, -0.6053f, 0.0782f, 0.0277f},   {346, 0.6053f, 0.0782f, 0.0277f},
    {121, -0.2065f, 0.0436f, -0.1126f},  {350, 0.2065f, 0.0436f, -0.1126f},
    {127, -0.8061f, -0.0577f, 0.5940f},  {356, 0.8061f, -0.0577f, 0.5940f},
    {129, -0.2539f, 0.3126f, -0.1537f},  {358, 0.2539f, 0.3126f, -0.1537f},
    {132, -0.7717f, 0.4767f, 0.6423f},   {361, 0.7717f, 0.4767f, 0.6423f},
    {143, -0.7147f, -0.0478f, 0.1877f},  {372, 0.7147f, -0.0478f, 0.1877f},
    {147, -0.7326f, 0.3939f, 0.1916f},   {376, 0.7326f, 0.3939f, 0.1916f},
    {198, -0.1611f, 0.1959f, -0.2770f},  {420, 0.1611f, 0.1959f, -0.2770f},
    {205, -0.4897f, 0.3626f, -0.0961f},  {425, 0.4897f, 0.3626f, -0.0961f},
    {234, -0.8022f, 0.1121f, 0.6534f},   {454, 0.8022f, 0.1121f, 0.6534f},
};
constexpr Eigen::Index kPoints = std::size(kMeanFace);
constexpr size_t kNoseBridge = 168;
constexpr double kDegrees = 180 / M_PI;

}  // namespace

Pose estimate_pose(const capture::Mesh& mesh) {
  using Eigen::Vector3d;
  Eigen::Matrix<double, 3, kPoints> mean, face;
  for (Eigen::Index i = 0; i < kPoints; ++i) {
    const MeanPoint& point = kMeanFace[i];
    mean.col(i) = Vector3d(point.x, point.y, point.z);
    face.col(i) = Vector3d(mesh.points[point.index].x, mesh.points[point.index].y, mesh.depth[point.index]);
  }
  // Umeyama 1991: the similarity that takes the mean face to this one with least squares.
  const Eigen::Matrix4d fit = Eigen::umeyama(mean, face, true);
  const Eigen::Matrix3d turned = fit.topLeftCorner<3, 3>();
  const double scale = std::cbrt(turned.determinant());
  Pose pose;
  if (!(scale > 0) || !fit.allFinite()) return pose;
  const Eigen::Matrix3d rotation = turned / scale;
  const Vector3d forward = -rotation.col(2);
  pose.yaw = static_cast<float>(std::atan2(forward.x(), -forward.z()) * kDegrees);
  pose.pitch = static_cast<float>(std::asin(std::clamp(forward.y(), -1.0, 1.0)) * kDegrees);
  pose.roll = static_cast<float>(std::atan2(rotation(1, 0), rotation(0, 0)) * kDegrees);

  // The pose that explains the face best leaves what no pose explains: another width for the same height.
  const auto fitted = (turned * mean).eval();
  const Vector3d middle = face.rowwise().mean(), fitted_middle = fitted.rowwise().mean();
  const auto stretch = [&](int axis) {
    const auto a = (face.row(axis).array() - middle(axis)).eval();
    const auto b = (fitted.row(axis).array() - fitted_middle(axis)).eval();
    return (a * b).sum() / (b * b).sum();
  };
  pose.aspect = static_cast<float>(stretch(0) / stretch(1));
  pose.origin = mesh.points[kNoseBridge];
  for (int axis = 0; axis < 3; ++axis) {
    const Vector3d end = (axis == 2 ? -1 : 1) * turned.col(axis);
    pose.axes[static_cast<size_t>(axis)] = {static_cast<float>(end.x()), static_cast<float>(end.y())};
  }
  pose.known = std::isfinite(pose.aspect);
  return pose;
}

}  // namespace visage::quality
