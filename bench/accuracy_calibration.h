// The measured thresholds as rows of visage.calibration.
#pragma once

#include <string>
#include <vector>

#include "accuracy_protocols.h"

namespace visage::bench {

struct Scheme {
  std::string name;  // as visage.calibration has it
  const Measured* measured;
};

// Writes the statement that sql/install/30_policy.sql ships, for every scheme and every rate that the sample
// supports. Thresholds are rounded up, so that the rate is kept, and the false non-match rate is counted at
// the rounded one.
bool write_calibration(const std::string& model, const Dataset& dataset, const std::vector<Scheme>& schemes,
                       const std::string& path);

}  // namespace visage::bench
