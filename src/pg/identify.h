// One to many: whose face is it?   [6.6f]
#pragma once

#include "pg/pg.h"

namespace visage::pg {

// As many as one record can name.
inline constexpr int kMaxRanks = 5;

// What visage.identify_policy says for a scenario.
struct IdentifyRule {
  bool allowed;
  double fpir;
  int32 max_candidates;
  int32 scan_limit;
};

// For use inside SPI.
void load_identify_rule(int32 institution, const text* scenario, IdentifyRule& out);

}  // namespace visage::pg
