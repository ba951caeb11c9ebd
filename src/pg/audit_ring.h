// Shared memory between the backends that decide and the audit writer that records.
//
// Every backend has one slot of its own, so there is always room for the record of a flow that has begun: a
// backend cannot begin another before the last one is dealt with, which is the back-pressure. Slots that wait
// for the writer are in a queue; its order is the ledger's.
#pragma once

#include "core/audit/event.h"
#include "pg/attempt.h"
#include "pg/pg.h"

extern "C" {
#include "access/xlogdefs.h"
#include "port/atomics.h"
#include "portability/instr_time.h"
#include "storage/condition_variable.h"
#include "storage/latch.h"
#include "storage/s_lock.h"
}

namespace visage::pg {

enum class SlotState : uint32_t {
  kIdle,
  kFilling,  // the backend writes the record
  kQueued,   // the record waits for the writer
  kTaken,    // the record is in the writer's batch
  kDone,     // committed; durable once flushed
  kFailed,   // not recorded: `failure` says why
};

// What a caller may keep in clear beside the keyed hashes, until policy has it erased.
inline constexpr size_t kMaxAddressLength = 64;
inline constexpr size_t kMaxDeviceLength = 128;
struct Detail {
  audit::Text<kMaxAddressLength> address;
  audit::Text<kMaxDeviceLength> device;
};

// What risk rules on the past will compare with, beside what the event holds.
struct SlotSighting {
  bool accepted;
  bool has_position;
  float latitude;
  float longitude;
};

struct Slot {
  pg_atomic_uint32 state;  // of SlotState
  Oid database;
  audit::EventRecord record;
  Attempt attempt;
  AttemptResult result;
  bool keep_detail;
  Detail detail;
  bool keep_sighting;
  SlotSighting sighting;
  TimestampTz queued_at;
  // Set by the writer.
  XLogRecPtr flush_to;  // the record is durable once the log is flushed up to here; 0: it is already
  int64 seq;
  char failure[160];
  ConditionVariable settled;
  // Of a verification of the ledger that runs in this backend; total is 0 when none does.
  int32 progress_pid;
  int64 progress_done;
  int64 progress_total;

  SlotState get() { return static_cast<SlotState>(pg_atomic_read_u32(&state)); }
  void set(SlotState value) { pg_atomic_exchange_u32(&state, static_cast<uint32_t>(value)); }  // a barrier
};

enum class WriterState : uint32_t {
  kNotStarted,
  kStopped,  // was there, is not now
  kWaiting,  // runs, but its database has no extension of this version yet
  kFaulty,   // runs, but may not extend the ledger: `fault` says why
  kReady,
};

struct AuditRing {
  pg_atomic_uint32 writer_state;
  pg_atomic_uint32 callers;  // backends between the beginning of a record and the writer's answer
  bool can_spin;             // more than one processor
  Oid database;
  int writer_pid;
  Latch* writer_latch;
  ConditionVariable writer_changed;
  char fault[160];
  // Statistics, for visage.audit_status.
  int64 size;  // events in the ledger
  int64 events;
  int64 batches;
  int64 failed;
  int32 last_batch;
  int32 largest_batch;
  TimestampTz last_commit;
  int64 last_batch_us;
  // The queue: places of slots, from `first` on.
  uint32 first;
  uint32 count;
  uint32 places[FLEXIBLE_ARRAY_MEMBER];

  WriterState state() { return static_cast<WriterState>(pg_atomic_read_u32(&writer_state)); }
};

Size audit_ring_size();
void audit_ring_startup();
AuditRing& audit_ring();
Slot& slot_at(uint32 place);
// The slot of this process.
uint32 own_place();

// A caller begins a record, and is done with it, whatever became of it. Where it is the only one, the writer
// is woken at the beginning and not when the record is there: a sleeper takes about as long to run as the
// flow.
void caller_begins();
void caller_ends();
// Spins a moment for `awaited()` while there is one caller alone, and so nobody's record that could use the
// processor: handing one record over by sleeping and waking takes more time than writing it.
template <typename Condition>
bool spin_for(Condition awaited);

// Puts a filled slot into the queue and wakes the writer. Never waits long, never raises.
void enqueue(uint32 place);
// The writer takes up to `limit` slots, oldest first.
int dequeue(uint32* places, int limit);
// Deals a slot's result out; for the writer.
void settle_slot(Slot& slot, SlotState state);

// How long a spin lasts at most: a record with its batch takes less on an idle machine.
inline constexpr int kSpinMicroseconds = 150;

template <typename Condition>
bool spin_for(Condition awaited) {
  AuditRing& ring = audit_ring();
  if (!ring.can_spin || pg_atomic_read_u32(&ring.callers) != 1) return awaited();
  instr_time began, now;
  INSTR_TIME_SET_CURRENT(began);
  do {
    for (int i = 0; i < 32; ++i) {
      if (awaited()) return true;
      pg_spin_delay();
    }
    if (pg_atomic_read_u32(&ring.callers) != 1) break;
    INSTR_TIME_SET_CURRENT(now);
    INSTR_TIME_SUBTRACT(now, began);
  } while (INSTR_TIME_GET_MICROSEC(now) < kSpinMicroseconds);
  return awaited();
}

}  // namespace visage::pg
