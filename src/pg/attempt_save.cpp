// The audit writer's part of the attempts: counters become rows with the commit that stores their events.
#include "pg/attempt.h"
#include "pg/attempt_rows.h"
#include "pg/attempt_table.h"
#include "pg/shared.h"

namespace visage::pg {
namespace {

using attempt_table::Entry;
using attempt_table::kNoPlace;

// Counters that settle_attempt left unsaved, a batch: after an outage of the writer there may be many.
constexpr int kMaxUnsaved = 1024;

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
    const Entry& entry = attempt_table::at(place);
    if (settled == nullptr)
      add_row(place, entry.counter.failures, entry.has_subject ? &entry.subject : nullptr);
  }
}

void write_rows() {
  AttemptRows rows;
  begin_attempt_rows(rows);
  for (int i = 0; i < batch.row_count; ++i) {
    const Row& row = batch.rows[i];
    put_attempt_row(rows,
                    {row.institution, row.target, row.failures,
                     attempt::locked_until(row.failures, row.limits), row.subject},
                    batch.now);
  }
  end_attempt_rows(rows);
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
  write_rows();
}

void publish_attempts() {
  settle_batch();
}

void discard_attempts() {
  batch.count = 0;
  batch.row_count = 0;
}

}  // namespace visage::pg
