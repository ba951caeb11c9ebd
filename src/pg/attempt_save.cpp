// The audit writer's part of the attempts: counters become rows with the commit that stores their events.
#include "pg/attempt.h"
#include "pg/attempt_table.h"
#include "pg/shared.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

using attempt_table::Entry;
using attempt_table::kNoPlace;

// Counters that settle_attempt left unsaved, a batch: after an outage of the writer there may be many.
constexpr int kMaxUnsaved = 1024;

// One statement a batch. Rows are locked by nobody else, so the writer never waits for a caller: that is also
// why the table has no foreign keys.
Statement upsert = {
    "INSERT INTO visage.attempt AS a (institution, kind, key, subject, failures, failures_in_period, "
    "period_start, last_failure, locked_until, updated_at) "
    "SELECT n.institution, n.kind::visage.attempt_kind, n.key, n.subject, n.failures, n.failures_in_period, "
    "n.period_start, n.last_failure, n.locked_until, $10 "
    "FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3), "
    "pg_catalog.unnest($4), pg_catalog.unnest($5), pg_catalog.unnest($6), pg_catalog.unnest($7), "
    "pg_catalog.unnest($8), pg_catalog.unnest($9)) n (institution, kind, key, subject, failures, "
    "failures_in_period, period_start, last_failure, locked_until) "
    "ON CONFLICT (institution, kind, key) DO UPDATE SET subject = coalesce(EXCLUDED.subject, a.subject), "
    "failures = EXCLUDED.failures, failures_in_period = EXCLUDED.failures_in_period, "
    "period_start = EXCLUDED.period_start, last_failure = EXCLUDED.last_failure, "
    "locked_until = EXCLUDED.locked_until, updated_at = EXCLUDED.updated_at",
    10,
    {"integer[]", "text[]", "bytea[]", "uuid[]", "integer[]", "integer[]", "timestamptz[]", "timestamptz[]",
     "timestamptz[]", "timestamptz"}};

struct Row {
  uint32 place;
  int32 institution;
  AttemptTarget target;
  attempt::Failures failures;
  attempt::Limits limits;
  const Uuid* subject;  // null when not known
};

// One settlement of one counter.
struct Step {
  uint32 place;
  int settlement;
};

// What `save` hands to `publish`. The writer's own memory, not the transaction's.
struct Batch {
  AttemptSettlement* settlements;
  int count;
  int capacity;
  Row* rows;
  int row_count;
  int row_capacity;
  Step* steps;
  int step_capacity;
  TimestampTz now;
};
Batch batch = {};

template <typename T>
void reserve(T*& memory, int& capacity, int needed) {
  if (needed <= capacity) return;
  if (memory != nullptr) pfree(memory);
  memory = nullptr;
  capacity = 0;
  const int rounded = Max(needed, 64) * 2;
  memory = static_cast<T*>(MemoryContextAllocHuge(TopMemoryContext, sizeof(T) * static_cast<Size>(rounded)));
  capacity = rounded;
}

int compare_steps(const void* left, const void* right) {
  const auto* a = static_cast<const Step*>(left);
  const auto* b = static_cast<const Step*>(right);
  if (a->place != b->place) return a->place < b->place ? -1 : 1;
  return a->settlement < b->settlement ? -1 : a->settlement > b->settlement;
}

void add_row(uint32 place, const attempt::Failures& failures, const Uuid* subject) {
  const Entry& entry = attempt_table::at(place);
  batch.rows[batch.row_count++] = {place, entry.institution, entry.target, failures, entry.limits, subject};
}

// Rows of the counters that differ from what is stored once the batch is settled.
void collect_rows(int step_count) {
  for (int i = 0; i < step_count;) {
    const uint32 place = batch.steps[i].place;
    const Entry& entry = attempt_table::at(place);
    attempt::Counter counter = entry.counter;
    const Uuid* subject = nullptr;
    for (; i < step_count && batch.steps[i].place == place; ++i) {
      const AttemptSettlement& settlement = batch.settlements[batch.steps[i].settlement];
      attempt::settle(counter, entry.limits, settlement.result, batch.now);
      if (settlement.has_subject && entry.target.kind == keys::HashedKind::kSubject)
        subject = &settlement.subject;
    }
    if (counter.failures != entry.saved) add_row(place, counter.failures, subject);
  }
  int unsaved = 0;
  for (uint32 place = attempt_table::first_unsaved(); place != kNoPlace && unsaved < kMaxUnsaved;
       place = attempt_table::next_unsaved(place), ++unsaved) {
    if (attempt_table::at(place).database != MyDatabaseId) continue;
    const Step first = {place, 0};
    const void* settled = bsearch(&first, batch.steps, static_cast<size_t>(step_count), sizeof(Step),
                                  [](const void* left, const void* right) {
                                    const auto* a = static_cast<const Step*>(left);
                                    const auto* b = static_cast<const Step*>(right);
                                    return a->place < b->place ? -1 : static_cast<int>(a->place > b->place);
                                  });
    if (settled == nullptr) add_row(place, attempt_table::at(place).counter.failures, nullptr);
  }
}

Datum array_of(Datum* values, bool* nulls, int count, Oid type, int16 length, bool by_value, char alignment) {
  int dimensions[] = {count};
  int lower_bounds[] = {1};
  return PointerGetDatum(
      construct_md_array(values, nulls, 1, dimensions, lower_bounds, type, length, by_value, alignment));
}

void write_rows() {
  enum { kColumns = 9 };
  const auto count = static_cast<Size>(batch.row_count);
  Datum* values[kColumns];
  bool* nulls[kColumns];
  for (int i = 0; i < kColumns; ++i) {
    values[i] = static_cast<Datum*>(palloc(count * sizeof(Datum)));
    nulls[i] = static_cast<bool*>(palloc0(count * sizeof(bool)));
  }
  for (int i = 0; i < batch.row_count; ++i) {
    const Row& row = batch.rows[i];
    auto* key = static_cast<bytea*>(palloc(VARHDRSZ + sizeof row.target.key));
    SET_VARSIZE(key, VARHDRSZ + sizeof row.target.key);
    memcpy(VARDATA(key), row.target.key, sizeof row.target.key);
    const int64 locked_until = attempt::locked_until(row.failures, row.limits);
    // PostgreSQL's 'infinity' is the largest number.
    static_assert(attempt::kLockedForEver == DT_NOEND);
    values[0][i] = Int32GetDatum(row.institution);
    values[1][i] = CStringGetTextDatum(attempt_kind_label(row.target.kind));
    values[2][i] = PointerGetDatum(key);
    values[3][i] = PointerGetDatum(row.subject);
    nulls[3][i] = row.subject == nullptr;
    values[4][i] = Int32GetDatum(static_cast<int32>(row.failures.consecutive));
    values[5][i] = Int32GetDatum(static_cast<int32>(row.failures.in_period));
    values[6][i] = TimestampTzGetDatum(row.failures.period_start);
    nulls[6][i] = row.failures.in_period == 0;
    values[7][i] = TimestampTzGetDatum(row.failures.last_failure);
    values[8][i] = TimestampTzGetDatum(locked_until);
    nulls[8][i] = locked_until == attempt::kNotLocked;
  }
  const struct {
    Oid type;
    int16 length;
    bool by_value;
    char alignment;
  } types[kColumns] = {{INT4OID, 4, true, TYPALIGN_INT},           {TEXTOID, -1, false, TYPALIGN_INT},
                       {BYTEAOID, -1, false, TYPALIGN_INT},        {UUIDOID, UUID_LEN, false, TYPALIGN_CHAR},
                       {INT4OID, 4, true, TYPALIGN_INT},           {INT4OID, 4, true, TYPALIGN_INT},
                       {TIMESTAMPTZOID, 8, true, TYPALIGN_DOUBLE}, {TIMESTAMPTZOID, 8, true, TYPALIGN_DOUBLE},
                       {TIMESTAMPTZOID, 8, true, TYPALIGN_DOUBLE}};
  Datum arguments[kColumns + 1];
  for (int i = 0; i < kColumns; ++i)
    arguments[i] = array_of(values[i], nulls[i], batch.row_count, types[i].type, types[i].length,
                            types[i].by_value, types[i].alignment);
  arguments[kColumns] = TimestampTzGetDatum(batch.now);
  execute(upsert, arguments, nullptr, false);
}

// In the order of the batch, as `save` computed it. What happened to a counter since then is kept: it is
// settled on top, and a counter that now differs from its row is saved with the next batch.
void settle_batch() {
  LWLockAcquire(shared_lock(SharedLock::kAttempts), LW_EXCLUSIVE);
  for (int i = 0; i < batch.row_count; ++i)
    attempt_table::at(batch.rows[i].place).saved = batch.rows[i].failures;
  for (int i = 0; i < batch.count; ++i) {
    const AttemptSettlement& settlement = batch.settlements[i];
    for (uint32_t j = 0; j < settlement.attempt.count; ++j) {
      const uint32 place = settlement.attempt.places[j];
      Entry& entry = attempt_table::at(place);
      attempt::settle(entry.counter, entry.limits, settlement.result, batch.now);
      attempt_table::unuse(place);
    }
  }
  for (int i = 0; i < batch.row_count; ++i) attempt_table::refresh(batch.rows[i].place);
  LWLockRelease(shared_lock(SharedLock::kAttempts));
  batch.count = 0;
  batch.row_count = 0;
}

}  // namespace

void save_attempts(const AttemptSettlement* settlements, int count, TimestampTz now) {
  batch.row_count = 0;
  batch.count = 0;
  reserve(batch.settlements, batch.capacity, count);
  reserve(batch.steps, batch.step_capacity, count * kMaxAttemptHolds);
  reserve(batch.rows, batch.row_capacity, count * kMaxAttemptHolds + kMaxUnsaved);
  if (count > 0) memcpy(batch.settlements, settlements, sizeof *settlements * static_cast<Size>(count));
  batch.count = count;
  batch.now = now;
  int step_count = 0;
  for (int i = 0; i < count; ++i)
    for (uint32_t j = 0; j < settlements[i].attempt.count; ++j)
      batch.steps[step_count++] = {settlements[i].attempt.places[j], i};
  qsort(batch.steps, static_cast<size_t>(step_count), sizeof(Step), compare_steps);
  LWLockAcquire(shared_lock(SharedLock::kAttempts), LW_SHARED);
  collect_rows(step_count);
  LWLockRelease(shared_lock(SharedLock::kAttempts));
  if (batch.row_count == 0) return;
  SPI_connect();
  write_rows();
  SPI_finish();
}

void publish_attempts() {
  settle_batch();
}

void discard_attempts() {
  batch.count = 0;
  batch.row_count = 0;
}

}  // namespace visage::pg
