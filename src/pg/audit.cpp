#include "pg/audit.h"

#include "pg/boundary.h"
#include "pg/clock.h"
#include "pg/keys.h"
#include "pg/settings.h"
#include "pg/shared.h"

extern "C" {
#include "access/xlog.h"
#include "pgstat.h"
}

namespace visage::pg {
namespace {

// The record in the making. A backend has one at most.
struct Open {
  Slot* slot;
  int nesting;  // of the transaction that began it
  bool scored;
};

Open open_record = {};
constexpr char kWriterHint[] =
    "Nothing was decided. SELECT * FROM visage.audit_status and the server's log say what is wrong with the "
    "audit writer.";

[[noreturn]] void unavailable(const char* why, const char* hint) {
  ereport(ERROR, (errcode(ERRCODE_VISAGE_AUDIT_UNAVAILABLE), errmsg("no verdict without a record: %s", why),
                  errhint("%s", hint)));
  pg_unreachable();
}

TimestampTz audit_deadline() {
  return TimestampTzPlusMilliseconds(GetCurrentTimestamp(), settings::audit_timeout);
}

long milliseconds_until(TimestampTz deadline) {
  return TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
}

// Sleeps until `awaited()` or the deadline; false at the deadline. Interrupts are served.
template <typename Condition>
bool sleep_until(ConditionVariable& variable, TimestampTz deadline, Condition awaited) {
  if (awaited()) return true;
  ConditionVariablePrepareToSleep(&variable);
  bool met = awaited();
  while (!met) {
    const long remaining = milliseconds_until(deadline);
    if (remaining <= 0) break;
    ConditionVariableTimedSleep(&variable, remaining, PG_WAIT_EXTENSION);
    met = awaited();
  }
  ConditionVariableCancelSleep();
  return met;
}

void require_writer() {
  AuditRing& ring = audit_ring();
  if (RecoveryInProgress())
    unavailable("the server is a standby", "Call the primary, or promote this server.");
  // It takes the writer a moment to get ready after the server's start or the extension's creation.
  if (ring.state() == WriterState::kNotStarted || ring.state() == WriterState::kWaiting) {
    if (ring.writer_latch != nullptr && ring.database == MyDatabaseId) SetLatch(ring.writer_latch);
    if (ring.state() == WriterState::kNotStarted || ring.database == MyDatabaseId)
      sleep_until(ring.writer_changed, audit_deadline(), [&] {
        return ring.state() != WriterState::kNotStarted && ring.state() != WriterState::kWaiting;
      });
  }
  switch (ring.state()) {
    case WriterState::kNotStarted:
    case WriterState::kStopped:
      unavailable("the audit writer is not running", kWriterHint);
    case WriterState::kWaiting:
      if (ring.database == MyDatabaseId)
        unavailable("the audit writer finds no pg_visage of its version in this database",
                    "Run ALTER EXTENSION pg_visage UPDATE.");
      break;
    case WriterState::kFaulty:
      unavailable(ring.fault, kWriterHint);
    case WriterState::kReady:
      break;
  }
  if (ring.database != MyDatabaseId)
    unavailable(psprintf("the audit writer serves database \"%s\"", settings::database),
                "Set visage.database to this database and reload the configuration; one server has one "
                "ledger at a time.");
}

void await_idle(Slot& slot) {
  const auto busy = [&] {
    const SlotState state = slot.get();
    return state == SlotState::kQueued || state == SlotState::kTaken;
  };
  if (!sleep_until(slot.settled, audit_deadline(), [&] { return !busy(); }))
    unavailable("an earlier record of this session is still not written", kWriterHint);
}

// What the end of a transaction finds still open did not end well.
void abandon() {
  if (open_record.slot == nullptr) return;
  Slot& slot = *open_record.slot;
  if (open_record.scored) {
    slot.record.decision = audit::Decision::kRefuse;
    slot.record.reason = audit::Reason::kInterrupted;
    slot.record.mark(audit::Field::kDecision);
    slot.record.mark(audit::Field::kReason);
    publish_record(AttemptResult::kFailure);
    return;
  }
  open_record.slot = nullptr;
  settle_attempt(slot.attempt, AttemptResult::kRelease, nullptr);
  slot.attempt.count = 0;
  slot.set(SlotState::kIdle);
}

void at_transaction_end(XactEvent event, void*) {
  if (event != XACT_EVENT_ABORT) return;
  abandon();
  if (&audit_ring() != nullptr) slot_at(own_place()).progress_total = 0;
}

void at_subtransaction_end(SubXactEvent event, SubTransactionId, SubTransactionId, void*) {
  // One that began inside the flow, in a trigger, is not the flow's.
  if (event != SUBXACT_EVENT_ABORT_SUB || GetCurrentTransactionNestLevel() > open_record.nesting) return;
  abandon();
}

}  // namespace

void audit_init() {
  RegisterXactCallback(at_transaction_end, nullptr);
  RegisterSubXactCallback(at_subtransaction_end, nullptr);
}

Slot& begin_record(audit::Operation operation) {
  require_writer();
  Slot& slot = slot_at(own_place());
  await_idle(slot);
  Uuid transaction;
  raise_unless_ok(guarded([&] { return engine().ordered_uuid(unix_now(), transaction); }),
                  "cannot make an identifier");
  const char* const caller = GetUserNameFromId(GetOuterUserId(), false);

  memset(static_cast<void*>(&slot.record), 0, sizeof slot.record);
  slot.record.operation = operation;
  slot.record.transaction = transaction;
  slot.record.caller.set(caller);
  slot.database = MyDatabaseId;
  slot.attempt.count = 0;
  slot.keep_detail = false;
  slot.keep_sighting = false;
  slot.set(SlotState::kFilling);
  open_record = {&slot, GetCurrentTransactionNestLevel(), false};
  return slot;
}

void set_transaction(audit::EventRecord& record) {
  // The subtransaction's own: it may be rolled back alone, and shares its parent's fate when it is not.
  FullTransactionId xid = GetCurrentFullTransactionIdIfAny();
  if (!FullTransactionIdIsValid(xid)) xid = GetTopFullTransactionIdIfAny();
  if (!FullTransactionIdIsValid(xid)) return;
  record.xid = U64FromFullTransactionId(xid);
  record.mark(audit::Field::kXid);
}

void mark_scored() {
  open_record.scored = true;
}

void drop_record() {
  abandon();
}

void await_unwritten(audit::Operation operation, int32 institution, std::string_view business_id) {
  for (uint32 place = 0; place < static_cast<uint32>(MaxBackends); ++place) {
    Slot& slot = slot_at(place);
    const auto waits = [&] {
      const SlotState state = slot.get();
      // What is read while the slot changes hands is of no matter: the state is looked at again.
      return (state == SlotState::kQueued || state == SlotState::kTaken) &&
             slot.record.operation == operation && slot.record.institution == institution &&
             slot.record.business_id.size <= audit::kMaxBusinessIdLength &&
             slot.record.business_id.view() == business_id;
    };
    if (waits() && !sleep_until(slot.settled, audit_deadline(), [&] { return !waits(); }))
      unavailable("an earlier record of this biz_id is still not written", kWriterHint);
  }
}

void publish_record(AttemptResult result, Durability durability) {
  Slot& slot = *open_record.slot;
  slot.in_log = durability == Durability::kLog;
  open_record.slot = nullptr;
  slot.result = result;
  enqueue(own_place());
}

int64 await_record() {
  Slot& slot = slot_at(own_place());
  const auto settled = [&] {
    const SlotState state = slot.get();
    return state == SlotState::kDone || state == SlotState::kFailed;
  };
  const TimestampTz deadline = audit_deadline();
  while (!settled() && milliseconds_until(deadline) > 0) {
    CHECK_FOR_INTERRUPTS();
    sleep_in_batch(slot, milliseconds_until(deadline), settled);
  }
  if (!settled())
    ereport(ERROR,
            (errcode(ERRCODE_VISAGE_AUDIT_TIMEOUT),
             errmsg("no verdict: its record was not durable within %d ms", settings::audit_timeout),
             errhint("It may still be recorded; look it up in visage.history. A synchronous standby that is "
                     "away, a lock on "
                     "visage.event or a slow disk can be the reason; visage.audit_timeout is the limit.")));
  const bool done = slot.get() == SlotState::kDone;
  const int64 seq = slot.seq;
  char failure[sizeof slot.failure];
  strlcpy(failure, slot.failure, sizeof failure);
  slot.set(SlotState::kIdle);
  if (!done)
    ereport(ERROR, (errcode(ERRCODE_VISAGE_AUDIT_FAILED),
                    errmsg("no verdict: it could not be recorded: %s", failure),
                    errhint("Nothing was told to anyone; the attempt counts. %s", kWriterHint)));
  return seq;
}

}  // namespace visage::pg
