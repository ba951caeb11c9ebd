// What one unit of work of bench-liveness gave: one person's films, pictures or depth maps.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sidecar/liveness/verdict.h"

namespace visage::bench {

// Names hold no blank. A name that starts with "apcer" is that of an attack.
struct Sheet {
  std::vector<std::pair<std::string, liveness::Outcome>> outcomes;
  std::vector<std::pair<std::string, float>> numbers;  // what limits are set by
};

}  // namespace visage::bench
