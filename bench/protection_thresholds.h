// Where the system accepts: thresholds at a false match rate, measured on the people whom the attacker knows.
#pragma once

#include <array>

#include "protection_attack.h"
#include "protection_bank.h"

namespace visage::bench::protection {

inline constexpr double kFmr = 1e-5;
inline constexpr std::array<size_t, 3> kCodeBits = {512, 1024, 2048};

struct Thresholds {
  double plain = 0;                               // cosine of two features
  std::array<double, kCodeBits.size()> hidden{};  // estimated cosine, stolen-token protocol
  size_t pairs = 0;
};

// False when the pairs do not support the rate (rule of 30).
bool measure_thresholds(Bank& bank, const Faces& faces, Thresholds& out);

}  // namespace visage::bench::protection
