// Risk rules and deny-lists of an institution, asked for one call.   [8.1.4c] [8.1.4d]
#pragma once

#include "core/risk/risk.h"
#include "pg/context.h"
#include "pg/pg.h"

namespace visage::pg {

// What a call is, as far as rules care.
struct RiskCall {
  int32 institution;
  audit::Operation operation;
  std::string_view channel;
  std::string_view scenario;
  uint8 scenario_factors;
  const Context* context;
  const uint8_t* address_hash;  // of kKeyedHashSize; null when the caller names none
  const uint8_t* device_hash;
  // A subject is claimed: then its past is looked up where a rule asks for it, and for one that nobody is
  // registered under a lookup finds nothing in the same time.
  bool claims_subject;
  const Uuid* subject;  // null: nobody is registered
};

// For use inside SPI. `keeps_sighting`: some rule of the institution looks at the past, so what comes of this
// call is to be remembered. Reads rules once for each change of policy, and the subject's past only when a
// rule that applies asks for it. Raises when a rule cannot be read: then nothing is decided.
void assess_risk(const RiskCall& call, risk::Verdict& out, bool& keeps_sighting);

}  // namespace visage::pg
