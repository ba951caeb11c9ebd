#include "core/gallery/bound.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/gallery/search.h"

namespace visage::gallery {
namespace {

// About a fifteenth of the deviation of either estimate: between two steps the product is that of the steps.
constexpr double kStep = 0.002;

// tail[d] = P(D > d) for a binomial D of kCodeBits trials. Summed from the far end, so that small tails keep
// their digits.
void binomial_tail(double chance, double (&tail)[kCodeBits + 1]) {
  constexpr double n = kCodeBits;
  tail[kCodeBits] = 0;
  if (chance <= 0 || chance >= 1) {
    std::fill(tail, tail + kCodeBits, chance <= 0 ? 0.0 : 1.0);
    return;
  }
  // From the most likely count outwards: from either end the first terms would underflow.
  double weight[kCodeBits + 1];
  const auto mode = static_cast<size_t>(n * chance);
  const double odds = chance / (1 - chance), at = static_cast<double>(mode);
  weight[mode] = std::exp(std::lgamma(n + 1) - std::lgamma(at + 1) - std::lgamma(n - at + 1) +
                          at * std::log(chance) + (n - at) * std::log1p(-chance));
  for (size_t k = mode; k < kCodeBits; ++k)
    weight[k + 1] = weight[k] * odds * (n - static_cast<double>(k)) / static_cast<double>(k + 1);
  for (size_t k = mode; k > 0; --k)
    weight[k - 1] = weight[k] / odds * static_cast<double>(k) / (n - static_cast<double>(k - 1));
  for (size_t d = kCodeBits; d > 0; --d) tail[d - 1] = tail[d] + weight[d];
}

// An upper bound: what whole blocks and the division by the probe's own length take away is left in.
double score_deviation(double cosine, size_t code_bits) {
  return std::sqrt((std::numbers::pi / 2 - cosine * cosine) / static_cast<double>(code_bits));
}

}  // namespace

double chance_of_score(double cosine, double threshold, size_t code_bits) {
  return std::erfc((threshold - cosine) / (score_deviation(cosine, code_bits) * std::numbers::sqrt2)) / 2;
}

uint32_t distance_bound(double threshold, size_t code_bits, double miss) {
  if (!(miss > 0 && miss < 1)) return kCodeBits;
  double worst[kCodeBits + 1] = {};
  double tail[kCodeBits + 1];
  const auto consider = [&](double cosine, double reaches) {
    if (reaches <= miss) return;  // such a reference is missed less often still
    binomial_tail(std::acos(cosine) / std::numbers::pi, tail);
    for (size_t d = 0; d <= kCodeBits; ++d) worst[d] = std::max(worst[d], reaches * tail[d]);
  };
  for (double cosine = -1; cosine < std::min(threshold, 1.0); cosine += kStep)
    consider(cosine, chance_of_score(cosine, threshold, code_bits));
  // Of those at τ and nearer the farthest counts, as if each of them scored well enough.
  if (threshold <= 1) consider(std::max(threshold, -1.0), 1);
  uint32_t bound = 0;
  while (bound < kCodeBits && worst[bound] > miss) ++bound;
  return bound;
}

}  // namespace visage::gallery
