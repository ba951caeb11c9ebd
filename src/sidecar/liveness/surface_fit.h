// Least squares on points of a surface.
#pragma once

#include <Eigen/Core>
#include <span>
#include <vector>

namespace visage::liveness {

using Point3 = Eigen::Vector3f;  // mm; x to the right, y down, z away from the camera

inline constexpr int kMostTerms = 16;
using Terms = Eigen::Matrix<double, Eigen::Dynamic, 1, 0, kMostTerms, 1>;

struct Fit {
  Terms weights;
  double rms = 0;
};

// One row a point: the values of the terms there, and what they should add up to. Keeps sums, no rows, so
// that a fit costs no allocation and many fits of the same points cost little.
class LeastSquares {
 public:
  explicit LeastSquares(int terms) : square_(Square::Zero(terms, terms)), right_(Terms::Zero(terms)) {}

  void add(const Terms& row, double z);
  // Terms that no point speaks of get a weight of 0.
  Fit solve() const;

 private:
  using Square = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, 0, kMostTerms, kMostTerms>;
  Square square_;
  Terms right_;
  double sum_ = 0;  // of z squared
  int count_ = 0;
};

// z over (x, y) around `middle`, the coordinates in kUnit.
inline constexpr double kUnit = 50;  // mm; keeps powers of coordinates near 1
Terms plane_terms(double x, double y);
Terms quadric_terms(double x, double y);
using TermsOf = Terms (*)(double x, double y);
Fit fit_surface(std::span<const Point3> points, const Point3& middle, int terms, TermsOf terms_of);

// RMS distance from the nearest surface that paper can take.
double bent_rms(std::span<const Point3> points, const Point3& middle);

// Means of the cells of a grid over the points, so that a sensor's noise counts little; cells with few points
// are left out.
std::vector<Point3> average_cells(std::span<const Point3> points);

}  // namespace visage::liveness
