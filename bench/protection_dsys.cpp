#include "protection_dsys.h"

#include <algorithm>

namespace visage::bench::protection {
namespace {

Histogram histogram(const std::vector<double>& scores, double low, double high) {
  Histogram out{low, high, std::vector<double>(kDsysBins, 0)};
  const double width = (high - low) / kDsysBins;
  for (const double score : scores) {
    const auto bin = static_cast<size_t>((score - low) / width);
    out.density[std::min(bin, kDsysBins - 1)] += 1 / (width * static_cast<double>(scores.size()));
  }
  return out;
}

}  // namespace

Linkability linkability(const std::vector<double>& mated, const std::vector<double>& non_mated) {
  const auto [low_a, high_a] = std::minmax_element(mated.begin(), mated.end());
  const auto [low_b, high_b] = std::minmax_element(non_mated.begin(), non_mated.end());
  const double low = std::min(*low_a, *low_b), high = std::max(*high_a, *high_b);
  Linkability out{0, histogram(mated, low, high), histogram(non_mated, low, high)};
  const double width = (high - low) / kDsysBins;
  for (size_t i = 0; i < kDsysBins; ++i) {
    const double y1 = out.mated.density[i], y2 = out.non_mated.density[i];
    if (y1 <= y2) continue;
    const double d = y2 == 0 ? 1 : (y1 - y2) / (y1 + y2);
    const bool end = i == 0 || i + 1 == kDsysBins;
    out.dsys += y1 * d * width * (end ? 0.5 : 1);
  }
  return out;
}

}  // namespace visage::bench::protection
