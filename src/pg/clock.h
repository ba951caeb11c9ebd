// The database's clock in the unit of envelopes: microseconds since 1970-01-01 UTC.
#pragma once

#include "pg/pg.h"

namespace visage::pg {

inline constexpr int64 kEpochDifference =
    (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * static_cast<int64>(SECS_PER_DAY) * USECS_PER_SEC;

inline int64 to_unix(TimestampTz time) {
  return time + kEpochDifference;
}
inline TimestampTz from_unix(int64 time) {
  return time - kEpochDifference;
}
inline int64 unix_now() {
  return to_unix(GetCurrentTimestamp());
}

}  // namespace visage::pg
