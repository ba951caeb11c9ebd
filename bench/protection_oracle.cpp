#include "protection_oracle.h"

#include <cmath>
#include <numbers>
#include <numeric>

namespace visage::bench::protection {
namespace {

double length(const Feature& values) {
  return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
}

// Unit vectors at right angles to `first` and to each other (Gram–Schmidt on the coordinate axes).
std::vector<Feature> complete_basis(const Feature& first) {
  const size_t d = first.size();
  std::vector<Feature> basis(1, Feature(d, 0));
  add_unit(basis[0], first);
  for (size_t axis = 0; axis < d && basis.size() < d; ++axis) {
    Feature next(d, 0);
    next[axis] = 1;
    for (int twice = 0; twice < 2; ++twice)  // once more, as rounding spoils the first time
      for (const Feature& known : basis) {
        const double along = std::inner_product(next.begin(), next.end(), known.begin(), 0.0);
        for (size_t i = 0; i < d; ++i) next[i] -= along * known[i];
      }
    if (length(next) < 1e-3) continue;
    basis.emplace_back(d, 0);
    add_unit(basis.back(), next);
  }
  return basis;
}

}  // namespace

void learn_from_scores(const AskScore& ask, const Population& population, double score_variance,
                       const std::function<bool(size_t questions, const Feature& estimate)>& after) {
  Feature coordinates = population.to_axes(population.mean);
  for (size_t k = 0; k < population.dimension; ++k) {
    const auto row = population.axes.begin() + static_cast<long>(k * population.dimension);
    const double told = ask(Feature(row, row + static_cast<long>(population.dimension)));
    const double trust = population.variance[k] / (population.variance[k] + score_variance);
    coordinates[k] += trust * (told - coordinates[k]);
    if (after(k + 1, population.from_axes(coordinates))) return;
  }
}

FromVerdicts learn_from_verdicts(const AskVerdict& ask, const Feature& accepted, int halvings) {
  const std::vector<Feature> basis = complete_basis(accepted);
  FromVerdicts out{basis[0], 0};
  // The angle at which turning from the accepted probe towards ±basis[k] is refused: once between 0 and π, as
  // the opposite of an accepted probe never is accepted.
  const auto edge = [&](size_t k, double sign) {
    double inside = 0, outside = std::numbers::pi;
    for (int i = 0; i < halvings; ++i) {
      const double angle = (inside + outside) / 2;
      Feature turned(basis[0].size());
      for (size_t j = 0; j < turned.size(); ++j)
        turned[j] = std::cos(angle) * basis[0][j] + sign * std::sin(angle) * basis[k][j];
      ++out.questions;
      (ask(turned) ? inside : outside) = angle;
    }
    return (inside + outside) / 2;
  };
  for (size_t k = 1; k < basis.size(); ++k) {
    const double along = std::tan((edge(k, 1) - edge(k, -1)) / 2);
    for (size_t j = 0; j < out.feature.size(); ++j) out.feature[j] += along * basis[k][j];
  }
  return out;
}

}  // namespace visage::bench::protection
