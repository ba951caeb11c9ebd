#include "sidecar/liveness/surface_fit.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

namespace visage::liveness {
namespace {

constexpr int kCells = 14;       // across and down
constexpr int kDirections = 18;  // of the axis that paper is bent around, over 180 degrees
constexpr int kHalvings = 3;     // around the best of them: to a degree
constexpr int kKnots = 15;       // of the curve across
constexpr double kRidge = 1e-9;  // of the largest square: what no point speaks of must not divide by zero
static_assert(kKnots + 1 <= kMostTerms);

}  // namespace

void LeastSquares::add(const Terms& row, double z) {
  square_.noalias() += row * row.transpose();
  right_ += row * z;
  sum_ += z * z;
  ++count_;
}

Fit LeastSquares::solve() const {
  Fit out;
  Square square = square_;
  square.diagonal().array() += kRidge * std::max(1e-30, square.diagonal().maxCoeff());
  out.weights = square.ldlt().solve(right_);
  const double left = sum_ - 2 * out.weights.dot(right_) + out.weights.dot(square_ * out.weights);
  out.rms = std::sqrt(std::max(0.0, left) / std::max(1, count_));
  return out;
}

Terms plane_terms(double x, double y) {
  Terms row(3);
  row << 1, x, y;
  return row;
}

Terms quadric_terms(double x, double y) {
  Terms row(6);
  row << 1, x, y, x * x, x * y, y * y;
  return row;
}

Fit fit_surface(std::span<const Point3> points, const Point3& middle, int terms, TermsOf terms_of) {
  LeastSquares sums(terms);
  for (const Point3& point : points) {
    const Eigen::Vector3d p = (point - middle).cast<double>();
    sums.add(terms_of(p.x() / kUnit, p.y() / kUnit), p.z());
  }
  return sums.solve();
}

// Paper bends and folds around one direction only: straight along it, any curve across, here broken lines.
double bent_rms(std::span<const Point3> points, const Point3& middle) {
  const auto along = [&](double angle) {
    const double c = std::cos(angle) / kUnit, s = std::sin(angle) / kUnit;
    double low = 1e9, high = -1e9;
    for (const Point3& point : points) {
      const Eigen::Vector3d p = (point - middle).cast<double>();
      const double across = c * p.x() + s * p.y();
      low = std::min(low, across);
      high = std::max(high, across);
    }
    LeastSquares sums(kKnots + 1);
    Terms row(kKnots + 1);
    for (const Point3& point : points) {
      const Eigen::Vector3d p = (point - middle).cast<double>();
      const double place = (c * p.x() + s * p.y() - low) / std::max(1e-6, high - low) * (kKnots - 1);
      for (int knot = 0; knot < kKnots; ++knot) row(knot) = std::max(0.0, 1 - std::abs(place - knot));
      row(kKnots) = c * p.y() - s * p.x();
      sums.add(row, p.z());
    }
    return sums.solve().rms;
  };
  double best = 1e9, best_angle = 0;
  const auto look = [&](double angle) {
    const double rms = along(angle);
    if (rms >= best) return;
    best = rms;
    best_angle = angle;
  };
  double step = M_PI / kDirections;
  for (int i = 0; i < kDirections; ++i) look(i * step);
  // A crease is sharp: five degrees beside it the paper no longer fits.
  for (int halving = 0; halving < kHalvings; ++halving) {
    step /= 2;
    const double middle_angle = best_angle;
    look(middle_angle - step);
    look(middle_angle + step);
  }
  return best;
}

std::vector<Point3> average_cells(std::span<const Point3> points) {
  std::vector<Point3> out;
  if (points.empty()) return out;
  Point3 low = points.front(), high = points.front();
  for (const Point3& p : points) {
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
  for (const Point3& p : points) {
    Cell& cell = cells[static_cast<size_t>(place(p.y(), low.y(), high.y()) * kCells +
                                           place(p.x(), low.x(), high.x()))];
    cell.sum += p;
    ++cell.count;
  }
  const int fewest = std::max(1, static_cast<int>(points.size()) / (kCells * kCells * 4));
  for (const Cell& cell : cells)
    if (cell.count >= fewest) out.push_back(cell.sum / static_cast<float>(cell.count));
  return out;
}

}  // namespace visage::liveness
