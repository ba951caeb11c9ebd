// The audit writer: a background worker on visage.database, the only writer of the ledger.
//
// It takes whatever records wait, writes them in one transaction, waits for disk and synchronous standbys as
// any commit does, and wakes their callers. What comes meanwhile is the next batch.
#include "pg/audit_writer.h"

#include "pg/boundary.h"
#include "pg/durability.h"
#include "pg/ledger_writer.h"
#include "pg/settlement.h"
#include "pg/shared.h"
#include "pg/sighting.h"
#include "pg/statement.h"
#include "pg/worker.h"
#include "pg/worker_transaction.h"

extern "C" {
#include "access/xlog.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "replication/syncrep.h"
#include "replication/walsender.h"
#include "storage/proc.h"
}

extern "C" {
VISAGE_EXPORT void visage_audit_writer_main(Datum argument);
}

namespace visage::pg {
namespace {

constexpr char kName[] = "pg_visage audit writer";
constexpr int kMaxSettlements = 64;
// How soon the end of a transaction is noticed, and how often an idle writer stores what is left over.
constexpr long kSettlementInterval = 100;
constexpr long kIdleInterval = 10000;
constexpr long kReportInterval = 1000;
// A writer that may not extend the ledger looks again, as somebody may have repaired it.
constexpr long kFaultInterval = 5000;

LedgerWriter ledger;
uint32 places[kMaxBatch];
NewEvent events[kMaxBatch + kMaxSettlements];
AttemptSettlement settlements[kMaxBatch];
audit::EventRecord settled[kMaxSettlements];

Statement move_tree = {"UPDATE visage.tree SET system_identifier = $1", 1, {"bigint"}};

struct Batch {
  uint32 number;
  int taken;        // slots
  int settlements;  // events of our own
};

void announce(WriterState state) {
  AuditRing& ring = audit_ring();
  pg_atomic_exchange_u32(&ring.writer_state, static_cast<uint32_t>(state));
  ConditionVariableBroadcast(&ring.writer_changed);
}

void fail_slots(const uint32* failed, int count, const char* why) {
  for (int i = 0; i < count; ++i) {
    Slot& slot = slot_at(failed[i]);
    strlcpy(slot.failure, why, sizeof slot.failure);
    // Scored or not: a verdict that was not told must not be had for nothing.
    const bool counts = slot.result == AttemptResult::kSuccess || slot.result == AttemptResult::kFailure;
    settle_attempt(slot.attempt, counts ? AttemptResult::kFailure : AttemptResult::kRelease,
                   slot.record.has(audit::Field::kSubject) ? &slot.record.subject : nullptr);
    settle_slot(slot, SlotState::kFailed);
  }
  audit_ring().failed += count;
  audit_ring().ends.wake_all();
}

void fail_queued(const char* why) {
  int count = 0;
  uint32 batch = 0;
  while ((count = dequeue(places, kMaxBatch, batch)) > 0) fail_slots(places, count, why);
}

// The batch that is under way when the process ends; its callers must not wait for the timeout.
int taken_now = 0;

void at_exit(int, Datum) {
  AuditRing& ring = audit_ring();
  LWLockAcquire(shared_lock(SharedLock::kAudit), LW_EXCLUSIVE);
  ring.writer_latch = nullptr;
  ring.writer_pid = 0;
  LWLockRelease(shared_lock(SharedLock::kAudit));
  // Where visage.database was changed the postmaster starts it anew, and callers may wait for it.
  announce(worker_moves() ? WriterState::kNotStarted : WriterState::kStopped);
  fail_slots(places, taken_now, "the audit writer ended");
  taken_now = 0;
  fail_queued("the audit writer ended");
}

// A commit that is not durable here is none for a verdict.
void insist_on_durability() {
  if (synchronous_commit == SYNCHRONOUS_COMMIT_OFF)
    SetConfigOption("synchronous_commit", "on", PGC_SUSET, PGC_S_OVERRIDE);
}

void end() {
  end_worker_transaction();
  // Ended while it waited for a synchronous standby, which then only warns.
  if (ProcDiePending)
    ereport(FATAL, (errcode(ERRCODE_ADMIN_SHUTDOWN), errmsg("terminating the audit writer")));
}

// Ends the batch's transaction, without waiting for the disk where none of its callers does.
void end_batch(bool in_log) {
  const int configured = synchronous_commit;
  if (in_log && !waits_for_standbys()) synchronous_commit = SYNCHRONOUS_COMMIT_OFF;
  end();
  synchronous_commit = configured;
}

// What a writer that has just begun, or lost track, reads from the tables.
void read_tables() {
  const auto here = static_cast<int64>(GetSystemIdentifier());
  load_ledger(ledger);
  const bool moved = ledger.open && ledger.tree.system_identifier != here;
  load_unsettled(moved);
  if (moved) {
    const Datum arguments[] = {Int64GetDatum(here)};
    execute(move_tree, arguments, nullptr, false);
  }
  load_replay_memory();
}

void load(void*) {
  begin_worker_transaction();
  Oid event = InvalidOid;
  ledger.loaded = false;
  if (ledger_present(event)) read_tables();
  end();
  audit_ring().size = static_cast<int64>(ledger.range.size);
}

void write_batch(void* argument) {
  auto& batch = *static_cast<Batch*>(argument);
  begin_worker_transaction();
  // The extension may have been dropped and made anew, or its tables filled by a restore.
  Oid event = InvalidOid;
  if (!ledger_present(event) || event != ledger.event || !ledger.open) read_tables();
  batch.settlements = make_settlements(settled, kMaxSettlements);
  for (int i = 0; i < batch.taken; ++i)
    if (slot_at(places[i]).database != MyDatabaseId)
      ereport(ERROR,
              (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("visage.database was changed")));
  int count = 0;
  for (int i = 0; i < batch.settlements; ++i) events[count++] = {&settled[i], nullptr, 0, 0};
  int attempts = 0;
  bool in_log = batch.taken > 0;
  for (int i = 0; i < batch.taken; ++i) {
    Slot& slot = slot_at(places[i]);
    in_log = in_log && slot.in_log;
    events[count++] = {&slot.record, &slot, 0, 0};
    if (slot.attempt.count > 0)
      settlements[attempts++] = {slot.attempt, slot.result, slot.record.has(audit::Field::kSubject),
                                 slot.record.subject};
  }
  if (count > 0) extend_ledger(ledger, events, count);
  append_sightings(events, count);
  save_attempts(settlements, attempts, GetCurrentTimestamp());
  end_batch(in_log);
}

void save_idle(void*) {
  begin_worker_transaction();
  expire_sightings();
  save_attempts(nullptr, 0, GetCurrentTimestamp());
  end();
  publish_attempts();
}

void tell(const Batch& batch, instr_time began) {
  AuditRing& ring = audit_ring();
  publish_attempts();
  const int count = batch.settlements + batch.taken;
  for (int i = batch.settlements; i < count; ++i) {
    NewEvent& event = events[i];
    expect_settlement(*event.record, event.seq);
    event.slot->seq = event.seq;
    settle_slot(*event.slot, SlotState::kDone);
  }
  audit_ring().ends.wake(batch.number);
  taken_now = 0;
  forget_settled();
  instr_time took;
  INSTR_TIME_SET_CURRENT(took);
  INSTR_TIME_SUBTRACT(took, began);
  ring.size = static_cast<int64>(ledger.range.size);
  ring.events += count;
  ++ring.batches;
  ring.last_batch = count;
  ring.largest_batch = Max(ring.largest_batch, count);
  ring.last_batch_us = static_cast<int64>(INSTR_TIME_GET_MICROSEC(took));
  ring.last_commit = GetCurrentTimestamp();
}

// Runs one piece of work in a transaction of its own; on an error that is rolled back, and logged.
bool run(void (*work)(void*), void* argument, char (&why)[160]) {
  if (caught(work, argument, why, sizeof why)) return true;
  AbortCurrentTransaction();
  return false;
}

void ensure_loaded() {
  AuditRing& ring = audit_ring();
  if (ledger.loaded && ring.state() == WriterState::kReady) return;
  char why[160];
  if (!run(load, nullptr, why)) {
    strlcpy(ring.fault, why, sizeof ring.fault);
    announce(WriterState::kFaulty);
  } else {
    announce(ledger.loaded ? WriterState::kReady : WriterState::kWaiting);
  }
}

void work() {
  AuditRing& ring = audit_ring();
  Batch batch = {};
  taken_now = batch.taken = dequeue(places, kMaxBatch, batch.number);
  if (batch.taken == 0 && !settlements_expected()) return;
  instr_time began;
  INSTR_TIME_SET_CURRENT(began);
  ensure_loaded();
  char why[160];
  strlcpy(why, ring.fault, sizeof why);
  if (ring.state() == WriterState::kReady && run(write_batch, &batch, why)) {
    if (batch.taken + batch.settlements > 0) tell(batch, began);
    return;
  }
  discard_attempts();
  fail_slots(places, batch.taken, why);
  taken_now = 0;
  ledger.loaded = false;
  strlcpy(ring.fault, why, sizeof ring.fault);
}

void serve() {
  TimestampTz next_saving = 0;
  bool idle = false;
  for (;;) {
    CHECK_FOR_INTERRUPTS();
    if (ConfigReloadPending) {
      follow_settings();
      insist_on_durability();
    }
    ensure_loaded();
    work();
    const bool ready = audit_ring().state() == WriterState::kReady;
    if (audit_ring().count > 0) continue;
    if (ready && GetCurrentTimestamp() >= next_saving) {
      char why[160];
      run(save_idle, nullptr, why);
      next_saving = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), kIdleInterval);
    }
    // While it works, statistics are reported once a second at most; the rest of them after an idle second.
    const long unreported = pgstat_report_stat(idle);
    long timeout = !ready ? kFaultInterval : settlements_expected() ? kSettlementInterval : kIdleInterval;
    if (unreported > 0) timeout = Min(timeout, kReportInterval);
    const int woken =
        WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, timeout, PG_WAIT_EXTENSION);
    idle = (woken & WL_LATCH_SET) == 0;
    ResetLatch(MyLatch);
  }
}

}  // namespace

void audit_writer_register() {
  register_worker(kName, "visage_audit_writer_main");
}

}  // namespace visage::pg

extern "C" void visage_audit_writer_main(Datum) {
  using namespace visage::pg;
  // A cancelled wait for a standby would let a commit pass that is not replicated.
  pqsignal(SIGINT, SIG_IGN);
  begin_worker(kName);
  insist_on_durability();
  AuditRing& ring = audit_ring();
  before_shmem_exit(at_exit, 0);
  LWLockAcquire(shared_lock(SharedLock::kAudit), LW_EXCLUSIVE);
  ring.database = MyDatabaseId;
  ring.writer_pid = MyProcPid;
  ring.writer_latch = MyLatch;
  LWLockRelease(shared_lock(SharedLock::kAudit));
  serve();
}
