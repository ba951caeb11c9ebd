// What a flow asks for before it compares anything: a session, and how many factors. [6.6e]
#pragma once

#include "pg/flow.h"

namespace visage::pg {

struct Requirement {
  bool session;
  int factors;
};

// Of visage.requirement, the strictest row that applies at this risk level; kept by each backend until the
// policy changes. For use inside SPI.
Requirement find_requirement(int32 institution, audit::Operation operation, const text* channel,
                             const text* scenario, int risk = 0);

}  // namespace visage::pg
