// Consent to a purpose, and the institution's entitlement to collect.   [8.2.2a, 8.2.2c, 8.2.5a]
//
// Whether consent is needed is policy, kept with it: where nothing is configured a verification asks nothing.
// Whether it was given is one probe of an index, under the newest snapshot: a withdrawal counts at once.
#pragma once

#include "pg/pg.h"

namespace visage::pg {

struct Flow;

inline constexpr size_t kMaxPurposeLength = 63;  // bytes

// What the tables say for a channel and a scenario. docs/consent.md
struct ConsentRule {
  bool required;
  bool entitlement;  // the institution's entitlement is recorded, so collecting needs one that is valid
  char purpose[kMaxPurposeLength + 1];
};

// For use inside SPI.
void load_consent_rule(int32 institution, const text* channel, const text* scenario, ConsentRule& out);

// Refuses as CONSENT_MISSING where consent is required and not in force; else the flow's record names the
// consent that it rests on. For somebody who is not registered it does the same work and refuses nothing, so
// that the flow goes on to say so as it always does.
bool check_consent(Flow& flow, const text* subject, bool registered);

// Whether the flow may show this subject: its consent is in force, or none is required.
bool may_show(const Flow& flow, const text* subject);

// Refuses as NOT_ENTITLED where the institution's entitlement is recorded and none is valid now.
bool check_entitlement(Flow& flow);

}  // namespace visage::pg
