#include "protection_population.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace visage::bench::protection {
namespace {

using Matrix = std::vector<double>;  // d × d, row after row

// Eigenvalues onto the diagonal of `a`, eigenvectors into the rows of `axes`: cyclic Jacobi (Golub and Van
// Loan, Matrix Computations, 8.5).
void diagonalise(Matrix& a, Matrix& axes, size_t d) {
  axes.assign(d * d, 0);
  for (size_t i = 0; i < d; ++i) axes[i * d + i] = 1;
  constexpr int kSweeps = 30;
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    double off = 0, on = 0;
    for (size_t i = 0; i < d; ++i)
      for (size_t j = 0; j < d; ++j) (i == j ? on : off) += a[i * d + j] * a[i * d + j];
    if (off < 1e-20 * on) return;
    for (size_t p = 0; p < d; ++p) {
      for (size_t q = p + 1; q < d; ++q) {
        if (a[p * d + q] == 0) continue;
        const double theta = (a[q * d + q] - a[p * d + p]) / (2 * a[p * d + q]);
        const double t = std::copysign(1, theta) / (std::abs(theta) + std::hypot(theta, 1.0));
        const double c = 1 / std::hypot(t, 1.0), s = t * c;
        const auto turn = [&](Matrix& m, size_t first, size_t second, size_t stride) {
          for (size_t k = 0; k < d; ++k) {
            double &x = m[first + k * stride], &y = m[second + k * stride];
            const double old = x;
            x = c * old - s * y;
            y = s * old + c * y;
          }
        };
        turn(a, p, q, d);
        turn(a, p * d, q * d, 1);
        turn(axes, p * d, q * d, 1);
      }
    }
  }
}

}  // namespace

std::vector<double> Population::to_axes(const std::vector<double>& values) const {
  std::vector<double> out(dimension);
  for (size_t k = 0; k < dimension; ++k)
    out[k] = std::inner_product(values.begin(), values.end(), axes.begin() + static_cast<long>(k * dimension),
                                0.0);
  return out;
}

std::vector<double> Population::from_axes(const std::vector<double>& coordinates) const {
  std::vector<double> out(dimension, 0);
  for (size_t k = 0; k < dimension; ++k)
    for (size_t i = 0; i < dimension; ++i) out[i] += coordinates[k] * axes[k * dimension + i];
  return out;
}

Population measure_population(const Faces& faces, const std::vector<std::vector<size_t>>& people) {
  const size_t d = faces.dimension;
  Population out;
  out.dimension = d;
  out.mean.assign(d, 0);
  Matrix covariance(d * d, 0);
  const auto for_every_face = [&](auto&& visit) {
    for (const auto& pictures : people)
      for (const size_t face : pictures)
        visit(faces.feature(face), 1.0 / static_cast<double>(pictures.size() * people.size()));
  };
  for_every_face([&](const float* x, double weight) {
    for (size_t i = 0; i < d; ++i) out.mean[i] += weight * x[i];
  });
  for_every_face([&](const float* x, double weight) {
    for (size_t i = 0; i < d; ++i)
      for (size_t j = 0; j < d; ++j)
        covariance[i * d + j] += weight * (x[i] - out.mean[i]) * (x[j] - out.mean[j]);
  });
  Matrix axes;
  diagonalise(covariance, axes, d);
  std::vector<size_t> order(d);
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return covariance[a * d + a] > covariance[b * d + b]; });
  for (const size_t k : order) {
    // A direction in which no face differs would divide by zero.
    out.variance.push_back(std::max(covariance[k * d + k], 1e-9));
    out.total_variance += out.variance.back();
    out.axes.insert(out.axes.end(), axes.begin() + static_cast<long>(k * d),
                    axes.begin() + static_cast<long>((k + 1) * d));
  }
  return out;
}

}  // namespace visage::bench::protection
