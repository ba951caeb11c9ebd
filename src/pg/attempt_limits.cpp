// The policy of attempts, kept by each backend until somebody changes it.
#include "pg/attempt.h"
#include "pg/boundary.h"
#include "pg/policy_generation.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

// The first institution's rows apply where an institution has none of its own.
Statement find_limits = {
    "SELECT l.institution = $1, l.kind::text, l.free_failures, l.first_delay, l.max_delay, l.hard_stop, "
    "l.period_failures, l.period FROM visage.attempt_limit l "
    "WHERE (l.institution = $1 OR l.institution = 1) AND l.with_liveness = $2",
    2,
    {"integer", "boolean"}};

struct LimitsKey {
  int32 institution;
  int32 with_liveness;
};
struct KeptLimits {
  AttemptLimits limits;
};
Kept<LimitsKey, KeptLimits, 16> kept;

uint32 count_column(uint64 row, int number) {
  bool is_null;
  const Datum value = column(row, number, &is_null);
  return is_null ? 0 : static_cast<uint32>(DatumGetInt32(value));
}

// A month is 30 days, as where PostgreSQL compares intervals; the table's checks keep the sum in range.
int64 interval_column(uint64 row, int number) {
  bool is_null;
  const Datum value = column(row, number, &is_null);
  if (is_null) return 0;
  const Interval* interval = DatumGetIntervalP(value);
  return interval->time +
         (static_cast<int64>(interval->month) * DAYS_PER_MONTH + interval->day) * USECS_PER_DAY;
}

void read_limits(int32 institution, bool with_liveness, AttemptLimits& out) {
  const Datum arguments[] = {Int32GetDatum(institution), BoolGetDatum(with_liveness)};
  begin_newest();
  const uint64 rows = execute(find_limits, arguments, nullptr, true);
  bool is_found[kAttemptKinds] = {};
  bool is_own[kAttemptKinds] = {};
  for (uint64 row = 0; row < rows; ++row) {
    const char* kind = column_text(row, 2);
    bool is_null;
    const bool own = DatumGetBool(column(row, 1, &is_null));
    for (int i = 0; i < kAttemptKinds; ++i) {
      if (strcmp(kind, attempt_kind_label(kCounted[i])) != 0 || is_own[i]) continue;
      out[i] = {count_column(row, 3), interval_column(row, 4), interval_column(row, 5),
                count_column(row, 6), count_column(row, 7),    interval_column(row, 8)};
      is_found[i] = true;
      is_own[i] = own;
    }
  }
  SPI_freetuptable(SPI_tuptable);
  end_newest();
  for (int i = 0; i < kAttemptKinds; ++i)
    if (!is_found[i])
      ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                      errmsg("visage.attempt_limit has no row of institution 1 for kind \"%s\"",
                             attempt_kind_label(kCounted[i])),
                      errhint("Put the row back. To lift a limit set it to null.")));
}

}  // namespace

void load_attempt_limits(int32 institution, bool with_liveness, AttemptLimits& out) {
  const LimitsKey key = {institution, with_liveness};
  const uint64 generation = policy_generation();
  const KeptLimits* found = kept.find(key, generation);
  if (found == nullptr) {
    KeptLimits read;
    read_limits(institution, with_liveness, read.limits);
    kept.keep(key, read, generation);
    found = kept.find(key, generation);
  }
  memcpy(out, found->limits, sizeof out);
}

}  // namespace visage::pg
