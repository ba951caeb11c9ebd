// D_sys, the global measure of linkability of Gomez-Barrero, Galbally, Rathgeb and Busch, "General framework
// to evaluate unlinkability in biometric template protection systems", IEEE TIFS 13(6), 2018; taken up by
// ISO/IEC 30136.
#pragma once

#include <cstddef>
#include <vector>

namespace visage::bench::protection {

inline constexpr size_t kDsysBins = 100;

struct Histogram {
  double low = 0, high = 0;
  std::vector<double> density;
};

struct Linkability {
  double dsys = 0;
  Histogram mated, non_mated;  // the same bins
};

// LR = p(s|mated)/p(s|non-mated); D(s) = 0 where LR ≤ 1, else (LR − 1)/(LR + 1), 1 where only mated scores
// are; D_sys = ∫ p(s|mated)·D(s) ds over the bins' centres, trapezoids. 0: unlinkable, 1: fully linkable. Of
// finite samples it is always above 0: compare it with the value for two sets of non-mated scores.
Linkability linkability(const std::vector<double>& mated, const std::vector<double>& non_mated);

}  // namespace visage::bench::protection
