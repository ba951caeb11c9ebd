#include "sidecar/liveness/relief.h"

#include <algorithm>
#include <cmath>

namespace visage::liveness {
namespace {

using Eigen::VectorXd;

constexpr size_t kFewestPoints = 200, kFewestCells = 40, kFewestOfCheeks = 40, kFewestPairs = 20;

// Lengths in the picture are scaled by the distance of the eyes, so that they hold for children, and for
// cameras whose focal length is guessed.
constexpr float kUsualEyes = 63;  // mm
constexpr float kNoseZone = 24;   // mm around the tip
// The cheeks beside the nose: where its wings end, to where the face turns away; between lower lid and mouth.
constexpr float kCheekFrom = 22, kCheekTo = 46, kCheekAbove = 16, kCheekBelow = 10;  // mm

// Where the curve of both cheeks, joined across, would put the face at the tip of the nose, in mm behind it.
// A body without a nose bulges there too, some 20 mm over the cheeks' middle: so its bulge is taken from the
// cheeks themselves, side to side, and only near the nose, where a circle, an ellipse and a parabola are one.
//
// `left_share`: of the width between the cheeks, how much lies left of the tip. A turned head shows one cheek
// narrower, and there all is narrower.
bool nose_over_cheeks(const std::vector<Point3>& surface, const Point3& tip, float scale, float left_share,
                      float& nose) {
  constexpr float kNarrowest = 0.35f;
  const float left_scale = std::clamp(2 * left_share, kNarrowest, 2 - kNarrowest);
  std::vector<Point3> cheeks;
  size_t left = 0;
  for (const Point3& p : surface) {
    const float from_tip = (p.x() - tip.x()) / scale, y = (p.y() - tip.y()) / scale;
    const float x = from_tip / (from_tip < 0 ? left_scale : 2 - left_scale);
    if (std::abs(x) < kCheekFrom || std::abs(x) > kCheekTo || y < -kCheekAbove || y > kCheekBelow) continue;
    cheeks.push_back(p);
    left += x < 0;
  }
  if (std::min(left, cheeks.size() - left) < kFewestOfCheeks / 2) return false;
  const auto fitted = [&] { return fit_surface(cheeks, tip, 6, quadric_terms); };
  Fit curve = fitted();
  // Once more without the points that a sensor puts between face and background.
  constexpr double kFar = 2.5;
  std::erase_if(cheeks, [&](const Point3& point) {
    const Eigen::Vector3d p = (point - tip).cast<double>();
    const double there = curve.weights.dot(quadric_terms(p.x() / kUnit, p.y() / kUnit));
    return std::abs(p.z() - there) > kFar * std::max(1.0, curve.rms);
  });
  if (cheeks.size() < kFewestOfCheeks) return false;
  curve = fitted();
  nose = static_cast<float>(curve.weights(0));
  return true;
}

double correlation(const VectorXd& a, const VectorXd& b) {
  const VectorXd x = a.array() - a.mean(), y = b.array() - b.mean();
  const double norm = x.norm() * y.norm();
  return norm > 0 ? x.dot(y) / norm : 0;
}

// Both depths less their planes: how a head is turned, and how far it is, must not make them agree.
double agreement(const std::vector<DepthFace::Pair>& pairs) {
  if (pairs.size() < kFewestPairs) return 0;
  std::vector<Point3> measured, guessed;
  for (const DepthFace::Pair& pair : pairs) {
    measured.push_back(pair.measured);
    guessed.emplace_back(pair.measured.x(), pair.measured.y(), pair.guessed);
  }
  const auto less_plane = [](const std::vector<Point3>& points) {
    const Point3 middle = points.front();
    const Fit plane = fit_surface(points, middle, 3, plane_terms);
    VectorXd out(static_cast<Eigen::Index>(points.size()));
    for (size_t i = 0; i < points.size(); ++i) {
      const Eigen::Vector3d p = (points[i] - middle).cast<double>();
      out(static_cast<Eigen::Index>(i)) =
          p.z() - plane.weights.dot(plane_terms(p.x() / kUnit, p.y() / kUnit));
    }
    return out;
  };
  return correlation(less_plane(measured), less_plane(guessed));
}

// What lies farther from the tip of the nose than any part of a face is seen past the face: hair, wall, or a
// sensor's points in between.
bool belongs_to_face(const Point3& point, const Point3& tip) {
  constexpr float kDeepest = 130;  // mm, before or behind
  return std::abs(point.z() - tip.z()) < kDeepest;
}

// How many of the depths, which are in order, are one and the same.
size_t most_equal(const std::vector<float>& z) {
  size_t most = 0;
  for (auto from = z.begin(); from != z.end();) {
    const auto to = std::upper_bound(from, z.end(), *from);
    most = std::max(most, static_cast<size_t>(to - from));
    from = to;
  }
  return most;
}

}  // namespace

Relief measure_relief(const DepthFace& face) {
  Relief out;
  if (face.surface.size() < kFewestPoints || face.nose.z() <= 0 || face.cheeks[0].z() <= 0 ||
      face.cheeks[1].z() <= 0)
    return out;
  const Point3 middle = face.nose;
  const auto past_face = [&](const Point3& p) { return !belongs_to_face(p, middle); };
  std::vector<Point3> surface = face.surface;
  std::erase_if(surface, past_face);
  std::vector<DepthFace::Pair> pairs = face.pairs;
  std::erase_if(pairs, [&](const DepthFace::Pair& pair) { return past_face(pair.measured); });
  constexpr size_t kLeastPercent = 60;  // of the face that must be left
  if (100 * surface.size() < kLeastPercent * face.surface.size()) return out;
  std::vector<float> z;
  for (const Point3& p : surface) z.push_back(p.z());
  std::sort(z.begin(), z.end());
  out.same = static_cast<float>(most_equal(z)) / static_cast<float>(z.size());
  out.range = z[z.size() * 95 / 100] - z[z.size() * 5 / 100];

  float scale = 1;
  if (face.eyes[0].z() > 0 && face.eyes[1].z() > 0) {
    out.eyes = (face.eyes[1] - face.eyes[0]).norm();
    scale = std::clamp((face.eyes[1] - face.eyes[0]).head<2>().norm() / kUsualEyes, 0.4f, 2.5f);
  }
  std::vector<Point3> around = average_cells(surface);
  std::erase_if(around, [&](const Point3& p) { return (p - middle).head<2>().norm() < kNoseZone * scale; });
  if (around.size() < kFewestCells) return out;
  out.plane = static_cast<float>(fit_surface(around, middle, 3, plane_terms).rms);
  out.bent = static_cast<float>(bent_rms(around, middle));
  // Of the quadric's second derivatives: how much farther it is 50 mm from the middle, to the sides and up
  // and down.
  const Fit smooth = fit_surface(around, middle, 6, quadric_terms);
  out.bulge = static_cast<float>(smooth.weights(3) + smooth.weights(5)) / 2;
  const float span = face.cheeks[1].x() - face.cheeks[0].x();
  const float share = span > 0 ? std::clamp((face.nose.x() - face.cheeks[0].x()) / span, 0.0f, 1.0f) : 0.5f;
  out.cheeks = face.cheeks[0].z() + share * (face.cheeks[1].z() - face.cheeks[0].z()) - face.nose.z();
  if (!nose_over_cheeks(surface, face.nose, scale, share, out.nose)) return out;
  out.agreement = static_cast<float>(agreement(pairs));
  out.known = std::isfinite(out.plane) && std::isfinite(out.bent) && std::isfinite(out.nose) &&
              std::isfinite(out.agreement);
  return out;
}

Outcome judge_depth(const Relief& r, bool metric, const ReliefLimits& limits) {
  constexpr Method kMethod = Method::kDepth;
  // More than any surface gives that is not made of one number.
  constexpr float kMostSame = 0.6f, kLeastRange = 0.5f;
  if (!r.known) return undetermined(kMethod, Reason::kNoDepth);
  if (r.same > kMostSame || r.range < kLeastRange) return fail(kMethod, Reason::kUniformDepth);
  if (r.plane < limits.plane) return fail(kMethod, Reason::kPlane);
  if (r.bulge < 0 && r.cheeks < limits.cheeks) return fail(kMethod, Reason::kHollow);
  if (r.bent < limits.bent) return fail(kMethod, Reason::kBent);
  if (r.nose < limits.nose || r.cheeks < limits.cheeks) return fail(kMethod, Reason::kNoNose);
  if (r.cheeks > limits.cheeks_most) return fail(kMethod, Reason::kDepthElsewhere);
  if (metric && r.eyes > 0 && (r.eyes < limits.eyes_low || r.eyes > limits.eyes_high))
    return fail(kMethod, Reason::kWrongSize);
  if (r.agreement < limits.agreement) return fail(kMethod, Reason::kDepthElsewhere);
  return pass(kMethod, r.agreement);
}

}  // namespace visage::liveness
