// SQL functions of the audit: the writer's state and the recording of changes.
#include "pg/audit.h"
#include "pg/boundary.h"
#include "pg/event_row.h"
#include "pg/keys.h"
#include "pg/shared.h"

extern "C" {
#include "commands/dbcommands.h"
#include "mb/pg_wchar.h"
}

namespace visage::pg {
namespace {

const char* state_name(WriterState state) {
  switch (state) {
    case WriterState::kNotStarted:
      return "not started";
    case WriterState::kStopped:
      return "stopped";
    case WriterState::kWaiting:
      return "waiting";
    case WriterState::kFaulty:
      return "faulty";
    case WriterState::kReady:
      break;
  }
  return "ready";
}

Datum interval_of(int64 microseconds) {
  auto* interval = static_cast<Interval*>(palloc0(sizeof(Interval)));
  interval->time = microseconds;
  return IntervalPGetDatum(interval);
}

// Cut between characters.
template <typename Text>
void set_text(Text& out, const text* value) {
  const int size = static_cast<int>(VARSIZE_ANY_EXHDR(value));
  const int kept = pg_mbcliplen(VARDATA_ANY(value), size, static_cast<int>(sizeof out.bytes));
  out.set({VARDATA_ANY(value), static_cast<size_t>(kept)});
}

void set_digest(uint8_t (&out)[audit::kHashSize], const struct varlena* value) {
  if (VARSIZE_ANY_EXHDR(value) != sizeof out)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("a digest has %d bytes", static_cast<int>(sizeof out))));
  memcpy(out, VARDATA_ANY(value), sizeof out);
}

}  // namespace

Datum put_progress(FunctionCallInfo fcinfo, ProgressOf what) {
  key_ring();
  InitMaterializedSRF(fcinfo, 0);
  const auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  for (uint32 place = 0; place < static_cast<uint32>(MaxBackends); ++place) {
    const Slot& slot = slot_at(place);
    if (slot.progress_total == 0 || slot.progress_of != what) continue;
    Datum values[] = {Int32GetDatum(slot.progress_pid), Int64GetDatum(slot.progress_done),
                      Int64GetDatum(slot.progress_total)};
    bool nulls[lengthof(values)] = {};
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  }
  return 0;
}

VISAGE_FUNCTION(visage_audit_status) {
  key_ring();  // says so when the library is not preloaded
  TupleDesc descriptor;
  if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
    elog(ERROR, "return type must be a row type");
  AuditRing& ring = audit_ring();
  LWLockAcquire(shared_lock(SharedLock::kAudit), LW_SHARED);
  const int pid = ring.writer_pid;
  const Oid database = ring.database;
  const auto queued = static_cast<int32>(ring.count);
  const TimestampTz oldest = queued > 0 ? slot_at(ring.places[ring.first]).queued_at : 0;
  LWLockRelease(shared_lock(SharedLock::kAudit));
  const char* const name = OidIsValid(database) ? get_database_name(database) : nullptr;
  Datum values[] = {CStringGetTextDatum(state_name(ring.state())),
                    Int32GetDatum(pid),
                    name != nullptr ? CStringGetTextDatum(name) : 0,
                    CStringGetTextDatum(ring.fault),
                    Int32GetDatum(queued),
                    interval_of(queued > 0 ? GetCurrentTimestamp() - oldest : 0),
                    Int64GetDatum(ring.size),
                    Int64GetDatum(ring.events),
                    Int64GetDatum(ring.failed),
                    Int64GetDatum(ring.batches),
                    Int32GetDatum(ring.last_batch),
                    Int32GetDatum(ring.largest_batch),
                    interval_of(ring.last_batch_us),
                    TimestampTzGetDatum(ring.last_commit)};
  bool nulls[lengthof(values)] = {};
  nulls[1] = pid == 0;
  nulls[2] = name == nullptr;
  nulls[3] = ring.fault[0] == '\0';
  nulls[13] = ring.last_commit == 0;
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}

// record_change(operation, institution, object, before, after, note, subject) → event
VISAGE_FUNCTION(visage_record_change) {
  using audit::Field;
  require_argument(fcinfo, 0, "operation");
  require_argument(fcinfo, 2, "object");
  key_ring();
  const Datum label = DirectFunctionCall1(enum_out, PG_GETARG_DATUM(0));
  audit::Operation operation;
  if (!audit::find_operation(DatumGetCString(label), operation))
    elog(ERROR, "unknown operation %s", DatumGetCString(label));
  Slot& slot = begin_record(operation);
  audit::EventRecord& record = slot.record;
  if (!PG_ARGISNULL(1)) {
    record.institution = PG_GETARG_INT32(1);
    record.mark(Field::kInstitution);
  }
  set_text(record.object, PG_GETARG_TEXT_PP(2));
  record.mark(Field::kObject);
  if (!PG_ARGISNULL(3)) {
    set_digest(record.before, PG_GETARG_BYTEA_PP(3));
    record.mark(Field::kBefore);
  }
  if (!PG_ARGISNULL(4)) {
    set_digest(record.after, PG_GETARG_BYTEA_PP(4));
    record.mark(Field::kAfter);
  }
  if (!PG_ARGISNULL(5)) {
    set_text(record.note, PG_GETARG_TEXT_PP(5));
    record.mark(Field::kNote);
  }
  if (!PG_ARGISNULL(6)) {
    memcpy(record.subject.bytes, PG_GETARG_UUID_P(6)->data, sizeof record.subject.bytes);
    record.mark(Field::kSubject);
  }
  set_transaction(record);
  publish_record(AttemptResult::kRelease);
  PG_RETURN_INT64(await_record());
}

// record_erasure(institution, object, why, subject) → event. One of many in a transaction: its commit is what
// makes them durable, together.
VISAGE_FUNCTION(visage_record_erasure) {
  using audit::Field;
  key_ring();
  Slot& slot = begin_record(audit::Operation::kErase);
  audit::EventRecord& record = slot.record;
  record.institution = PG_GETARG_INT32(0);
  record.mark(Field::kInstitution);
  set_text(record.object, PG_GETARG_TEXT_PP(1));
  record.mark(Field::kObject);
  set_text(record.note, PG_GETARG_TEXT_PP(2));
  record.mark(Field::kNote);
  if (!PG_ARGISNULL(3)) {
    memcpy(record.subject.bytes, PG_GETARG_UUID_P(3)->data, sizeof record.subject.bytes);
    record.mark(Field::kSubject);
  }
  set_transaction(record);
  publish_record(AttemptResult::kRelease, Durability::kLog);
  PG_RETURN_INT64(await_record());
}

}  // namespace visage::pg
