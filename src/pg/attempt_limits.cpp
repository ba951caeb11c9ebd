// The policy of attempts, kept by each backend until somebody changes it: every flow asks for it, and reading
// it takes a good part of what a comparison takes.
//
// A trigger of visage.attempt_limit invalidates the table as DDL would. PostgreSQL then tells every backend,
// with the commit and to the changing transaction itself at once, also when it rolls back.
#include "pg/attempt.h"
#include "pg/boundary.h"
#include "pg/statement.h"

extern "C" {
#include "commands/trigger.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace visage::pg {
namespace {

// The first institution's rows apply where an institution has none of its own.
Statement find_limits = {
    "SELECT l.institution = $1, l.kind::text, l.free_failures, l.first_delay, l.max_delay, l.hard_stop, "
    "l.period_failures, l.period FROM visage.attempt_limit l "
    "WHERE (l.institution = $1 OR l.institution = 1) AND l.with_liveness = $2",
    2,
    {"integer", "boolean"}};

struct Kept {
  bool valid;
  int32 institution;
  AttemptLimits limits;
};
constexpr int kKept = 16;  // institutions that a session serves in turn
Kept kept[kKept][2] = {};
uint64 invalidations = 0;
Oid limits_table = InvalidOid;

void forget(Datum, Oid relation) {
  if (OidIsValid(relation) && relation != limits_table) return;
  ++invalidations;
  for (auto& institution : kept)
    for (Kept& limits : institution) limits.valid = false;
}

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
  // Not the transaction's own snapshot: what is kept must be the newest, and outlives the transaction.
  PushActiveSnapshot(GetLatestSnapshot());
  const uint64 rows = execute(find_limits, arguments, nullptr, true);
  bool is_found[kMaxAttemptHolds] = {};
  bool is_own[kMaxAttemptHolds] = {};
  for (uint64 row = 0; row < rows; ++row) {
    const char* kind = column_text(row, 2);
    bool is_null;
    const bool own = DatumGetBool(column(row, 1, &is_null));
    for (int i = 0; i < kMaxAttemptHolds; ++i) {
      if (strcmp(kind, attempt_kind_label(static_cast<keys::HashedKind>(i + 1))) != 0 || is_own[i]) continue;
      out[i] = {count_column(row, 3), interval_column(row, 4), interval_column(row, 5),
                count_column(row, 6), count_column(row, 7),    interval_column(row, 8)};
      is_found[i] = true;
      is_own[i] = own;
    }
  }
  SPI_freetuptable(SPI_tuptable);
  PopActiveSnapshot();
  for (int i = 0; i < kMaxAttemptHolds; ++i)
    if (!is_found[i])
      ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                      errmsg("visage.attempt_limit has no row of institution 1 for kind \"%s\"",
                             attempt_kind_label(static_cast<keys::HashedKind>(i + 1))),
                      errhint("Put the row back. To lift a limit set it to null.")));
}

}  // namespace

void load_attempt_limits(int32 institution, bool with_liveness, AttemptLimits& out) {
  static bool is_registered = false;
  if (!is_registered) {
    CacheRegisterRelcacheCallback(forget, 0);
    is_registered = true;
  }
  // A transaction that takes no new lock would not hear of a change.
  AcceptInvalidationMessages();
  Kept& place = kept[static_cast<uint32>(institution) % kKept][with_liveness];
  if (place.valid && place.institution == institution) {
    memcpy(out, place.limits, sizeof out);
    return;
  }
  const uint64 before = invalidations;
  limits_table = get_relname_relid("attempt_limit", get_namespace_oid("visage", false));
  read_limits(institution, with_liveness, out);
  place.institution = institution;
  memcpy(place.limits, out, sizeof out);
  // A change that arrived while we read may be newer than what we read.
  place.valid = invalidations == before;
}

// Trigger after every change of visage.attempt_limit.
VISAGE_FUNCTION(visage_forget_limits) {
  if (!CALLED_AS_TRIGGER(fcinfo)) elog(ERROR, "visage.forget_limits() is a trigger");
  const auto* data = reinterpret_cast<const TriggerData*>(fcinfo->context);
  CacheInvalidateRelcache(data->tg_relation);
  return PointerGetDatum(nullptr);
}

}  // namespace visage::pg
