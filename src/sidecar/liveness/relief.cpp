#include "sidecar/liveness/relief.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>

namespace visage::liveness {
namespace {

constexpr size_t kFewestPoints = 200;
constexpr int kCells = 14;       // across and down: means of cells, so that a sensor's noise counts little
constexpr float kNoseZone = 24;  // mm around the tip that the smooth surface leaves out
constexpr float kUnit = 50;      // mm; keeps powers of coordinates near 1
constexpr int kDirections = 18;  // of the axis that paper is bent around, over 180 degrees
constexpr int kKnots = 11;       // of the curve across
constexpr size_t kFewestPairs = 20;

using Eigen::MatrixXd;
using Eigen::VectorXd;

struct Fit {
  VectorXd weights;
  double rms = 0;
};

Fit fit(const MatrixXd& basis, const VectorXd& z) {
  Fit out;
  out.weights = basis.colPivHouseholderQr().solve(z);
  out.rms = std::sqrt((basis * out.weights - z).squaredNorm() / static_cast<double>(z.size()));
  return out;
}

// Means of the cells of a grid over the face, cells with few points left out.
std::vector<Point3> average(const std::vector<Point3>& surface) {
  Point3 low = surface.front(), high = surface.front();
  for (const Point3& p : surface) {
    low = low.cwiseMin(p);
    high = high.cwiseMax(p);
  }
  struct Cell {
    Point3 sum{0, 0, 0};
    int count = 0;
  };
  std::vector<Cell> cells(kCells * kCells);
  const auto place = [&](float value, float from, float to) {
    return std::clamp(static_cast<int>((value - from) / std::max(1e-3f, to - from) * kCells), 0, kCells - 1);
  };
  for (const Point3& p : surface) {
    Cell& cell = cells[static_cast<size_t>(place(p.y(), low.y(), high.y()) * kCells +
                                           place(p.x(), low.x(), high.x()))];
    cell.sum += p;
    ++cell.count;
  }
  const int fewest = std::max(1, static_cast<int>(surface.size()) / (kCells * kCells * 4));
  std::vector<Point3> out;
  for (const Cell& cell : cells)
    if (cell.count >= fewest) out.push_back(cell.sum / static_cast<float>(cell.count));
  return out;
}

VectorXd depths(const std::vector<Point3>& points) {
  VectorXd z(static_cast<Eigen::Index>(points.size()));
  for (Eigen::Index i = 0; i < z.size(); ++i) z(i) = static_cast<double>(points[static_cast<size_t>(i)].z());
  return z;
}

template <typename Row>
MatrixXd basis_of(const std::vector<Point3>& points, const Point3& middle, int columns, Row row) {
  MatrixXd out(static_cast<Eigen::Index>(points.size()), columns);
  for (Eigen::Index i = 0; i < out.rows(); ++i) {
    const Point3 p = (points[static_cast<size_t>(i)] - middle) / kUnit;
    row(static_cast<double>(p.x()), static_cast<double>(p.y()), out.row(i));
  }
  return out;
}

constexpr auto kPlane = [](double x, double y, auto row) { row << 1, x, y; };
constexpr auto kQuadric = [](double x, double y, auto row) { row << 1, x, y, x * x, x * y, y * y; };

// Paper bends and folds around one direction only: straight along it, any curve across, here broken lines.
double bent_rms(const std::vector<Point3>& cells, const Point3& middle, const VectorXd& z) {
  double best = 1e9;
  for (int i = 0; i < kDirections; ++i) {
    const double angle = M_PI * i / kDirections, c = std::cos(angle), s = std::sin(angle);
    const auto across = [&](double x, double y) { return c * x + s * y; };
    double low = 1e9, high = -1e9;
    for (const Point3& p : cells) {
      const Point3 q = (p - middle) / kUnit;
      low = std::min(low, across(static_cast<double>(q.x()), static_cast<double>(q.y())));
      high = std::max(high, across(static_cast<double>(q.x()), static_cast<double>(q.y())));
    }
    const MatrixXd basis = basis_of(cells, middle, kKnots + 1, [&](double x, double y, auto row) {
      const double place = (across(x, y) - low) / std::max(1e-6, high - low) * (kKnots - 1);
      for (int knot = 0; knot < kKnots; ++knot) row(knot) = std::max(0.0, 1 - std::abs(place - knot));
      row(kKnots) = c * y - s * x;
    });
    best = std::min(best, fit(basis, z).rms);
  }
  return best;
}

double correlation(const VectorXd& a, const VectorXd& b) {
  const VectorXd x = a.array() - a.mean(), y = b.array() - b.mean();
  const double norm = x.norm() * y.norm();
  return norm > 0 ? x.dot(y) / norm : 0;
}

// Both depths less their planes: how a head is turned, and how far it is, must not make them agree.
double agreement(const std::vector<DepthFace::Pair>& pairs) {
  if (pairs.size() < kFewestPairs) return 0;
  std::vector<Point3> points;
  VectorXd guessed(static_cast<Eigen::Index>(pairs.size()));
  for (size_t i = 0; i < pairs.size(); ++i) {
    points.push_back(pairs[i].measured);
    guessed(static_cast<Eigen::Index>(i)) = static_cast<double>(pairs[i].guessed);
  }
  const MatrixXd plane = basis_of(points, points.front(), 3, kPlane);
  const VectorXd z = depths(points);
  return correlation(z - plane * fit(plane, z).weights, guessed - plane * fit(plane, guessed).weights);
}

}  // namespace

Relief measure_relief(const DepthFace& face) {
  Relief out;
  if (face.surface.size() < kFewestPoints || face.nose.z() <= 0 || face.cheeks[0].z() <= 0 ||
      face.cheeks[1].z() <= 0)
    return out;
  std::vector<float> z;
  std::map<float, int> counts;
  int most = 0;
  for (const Point3& p : face.surface) {
    z.push_back(p.z());
    most = std::max(most, ++counts[p.z()]);
  }
  out.same = static_cast<float>(most) / static_cast<float>(z.size());
  std::sort(z.begin(), z.end());
  out.range = z[z.size() * 95 / 100] - z[z.size() * 5 / 100];

  const std::vector<Point3> cells = average(face.surface);
  if (cells.size() < 40) return out;
  const Point3 middle = face.nose;
  const VectorXd all = depths(cells);
  out.plane = static_cast<float>(fit(basis_of(cells, middle, 3, kPlane), all).rms);
  out.bent = static_cast<float>(bent_rms(cells, middle, all));

  std::vector<Point3> around, tip;
  const auto from_tip = [&](const Point3& p) { return (p - middle).head<2>().norm(); };
  for (const Point3& p : cells)
    if (from_tip(p) > kNoseZone) around.push_back(p);
  if (around.size() < 20) return out;
  const Fit smooth = fit(basis_of(around, middle, 6, kQuadric), depths(around));
  out.nose = static_cast<float>(smooth.weights(0)) - face.nose.z();
  // Of the quadric's second derivatives: how much farther it is 50 mm from the middle, to the sides and up
  // and down.
  out.bulge = static_cast<float>(smooth.weights(3) + smooth.weights(5)) / 2;
  const float span = face.cheeks[1].x() - face.cheeks[0].x();
  const float share = span > 0 ? std::clamp((face.nose.x() - face.cheeks[0].x()) / span, 0.0f, 1.0f) : 0.5f;
  out.cheeks = face.cheeks[0].z() + share * (face.cheeks[1].z() - face.cheeks[0].z()) - face.nose.z();
  out.agreement = static_cast<float>(agreement(face.pairs));
  if (face.eyes[0].z() > 0 && face.eyes[1].z() > 0) out.eyes = (face.eyes[1] - face.eyes[0]).norm();
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
  if (metric && r.eyes > 0 && (r.eyes < limits.eyes_low || r.eyes > limits.eyes_high))
    return fail(kMethod, Reason::kWrongSize);
  if (r.agreement < limits.agreement) return fail(kMethod, Reason::kDepthElsewhere);
  return pass(kMethod, r.agreement);
}

}  // namespace visage::liveness
