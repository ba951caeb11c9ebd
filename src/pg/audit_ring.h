// Shared memory between the backends that decide and the audit writer that records.
//
// Every backend has one slot of its own, so there is always room for the record of a flow that has begun: a
// backend cannot begin another before the last one is dealt with, which is the back-pressure. Slots that wait
// for the writer are in a queue; its order is the ledger's.
#pragma once

#include "core/audit/event.h"
#include "pg/attempt.h"
#include "pg/batch_wait.h"
#include "pg/pg.h"

extern "C" {
#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/latch.h"
}

namespace visage::pg {

enum class SlotState : uint32_t {
  kIdle,
  kFilling,  // the backend writes the record
  kQueued,   // the record waits for the writer
  kTaken,    // the record is in the writer's batch
  kDone,     // committed, and durable unless `in_log`
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

// Whose progress a backend shows: a verification of the ledger's, or a search for people under two names.
enum class ProgressOf : uint8_t { kLedger, kDuplicates };

struct Slot {
  pg_atomic_uint32 state;  // of SlotState
  Oid database;
  audit::EventRecord record;
  Attempt attempt;
  AttemptResult result;
  bool in_log;  // the caller's own commit flushes the log: no need to wait for the disk here
  bool keep_detail;
  Detail detail;
  bool keep_sighting;
  SlotSighting sighting;
  TimestampTz queued_at;
  uint32 batch;  // the one that it is in, or will be, as long as it is queued or taken
  // Set by the writer.
  int64 seq;
  char failure[160];
  ConditionVariable settled;
  // Of what takes long in this backend; total is 0 when nothing does.
  ProgressOf progress_of;
  int32 progress_pid;
  int64 progress_done;
  int64 progress_total;

  void begin_progress(ProgressOf what, int64 total) {
    progress_of = what;
    progress_pid = MyProcPid;
    progress_done = 0;
    progress_total = total;
  }
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
  uint32 next_batch;
  BatchWait ends;
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

// Rows of pid, done and total, one for each backend that shows such progress: what a function returns.
Datum put_progress(FunctionCallInfo fcinfo, ProgressOf what);

// Puts a filled slot into the queue and wakes the writer. Never waits long, never raises.
void enqueue(uint32 place);
// The writer takes up to `limit` slots, oldest first: a batch, whose number it gets.
int dequeue(uint32* places, int limit, uint32& batch);
// Deals a slot's result out; for the writer, which wakes the caller by ending the slot's batch.
void settle_slot(Slot& slot, SlotState state);
// Sleeps until the batch of the slot, this process's own, has ended, or a while has passed. `settled` is
// looked at first.
template <typename Settled>
void sleep_in_batch(Slot& slot, long milliseconds, Settled settled) {
  const uint32 batch = slot.batch;
  const uint32 seen = audit_ring().ends.seen(batch);
  if (!settled()) audit_ring().ends.sleep(batch, seen, milliseconds);
}

}  // namespace visage::pg
