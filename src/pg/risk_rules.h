// Rules as the tables state them, made ready to be asked.
#pragma once

#include "core/risk/risk.h"
#include "pg/pg.h"

namespace visage::pg {

struct LoadedRules {
  MemoryContext memory;  // holds all of it
  risk::RuleSet set;
  bool looks_back;       // some rule needs the past
  int64 longest_period;  // of those, µs
  struct pg_tz** zones;  // the first is the caller's, and null
  int zone_count;
};

// Rules of an institution as they are now; they stay until the next call of this function. For use inside
// SPI.
const LoadedRules& load_rules(int32 institution);

// Rules that are given as JSON, an array of rows each, in the current memory context. For use inside SPI.
void load_given_rules(int32 institution, Datum rules, Datum entries, LoadedRules& out);

// Local time in every zone of the rules; `own` may be null. `out` has zone_count places.
void local_times(const LoadedRules& rules, TimestampTz now, struct pg_tz* own, risk::LocalTime* out);

}  // namespace visage::pg
