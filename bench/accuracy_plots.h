// Plots of what was measured, as SVG files.
#pragma once

#include <string>
#include <vector>

#include "accuracy_protocols.h"

namespace visage::bench {

struct Named {
  std::string name;
  const Measured* measured;
};

// Detection error trade-off: false reject rate over false accept rate, both logarithmic, from 30 errors of
// different pairs up. Circles at FAR 1e-3, 1e-4 and 1e-5.
bool plot_det(const std::vector<Named>& curves, const std::string& path);

// Scores of genuine and impostor attempts, one panel each, logarithmic so that the tails show.
bool plot_scores(const std::vector<Named>& panels, const std::string& path);

}  // namespace visage::bench
