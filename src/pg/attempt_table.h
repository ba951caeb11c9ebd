// The counters of attempts in shared memory: found by key, kept at one place while they are in use.
//
// Everything here is called with SharedLock::kAttempts held, exclusively but where it says otherwise.
#pragma once

#include "pg/attempt.h"

namespace visage::pg::attempt_table {

inline constexpr uint32 kNoPlace = UINT32_MAX;

struct Entry {
  Oid database;  // visage.database may change while the server runs
  int32 institution;
  AttemptTarget target;
  uint8 list;  // which list it is in
  uint32 next_in_bucket;
  uint32 previous, next;  // in its list
  uint32 uses;            // holds, and callers that are about to decide on it
  attempt::Counter counter;
  attempt::Failures saved;  // as its row is
  attempt::Limits limits;   // of the latest hold: what an attempt is settled under
  // So that visage.attempts can name a counter whose events were not written. Only the writer sets and reads
  // it.
  bool has_subject;
  Uuid subject;
};

Size size();
void startup();

Entry& at(uint32 place);

// Both are about the counters of this process's database. The place of a counter, kNoPlace when it is not in
// memory.
uint32 find(int32 institution, const AttemptTarget& target);
// Counts what left memory from where this counter would be. A row that was read between two equal answers is
// the counter's newest state if it is still not in memory. In between it could have come, changed, been saved
// and left, and the row that was read could be older.
uint32 departures(const AttemptTarget& target);
// Adds a counter as its row has it. Drops the one that was idle for longest when memory is full; kNoPlace
// when none is idle.
uint32 add(int32 institution, const AttemptTarget& target, const attempt::Failures& saved);

// A counter that is in use, or differs from its row, stays where it is.
void use(uint32 place);
void unuse(uint32 place);
void refresh(uint32 place);  // after a change of either, unless unuse() follows

// Counters that differ from their rows, oldest first, for readers with the shared lock; kNoPlace ends.
uint32 first_unsaved();
uint32 next_unsaved(uint32 place);

}  // namespace visage::pg::attempt_table
