// Past the executor: each batch with a rejection writes a row or two, and the statement that would do it took
// half as long as all of the batch's events.
#include "pg/attempt_rows.h"

#include "pg/known_relation.h"
#include "pg/statement.h"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "executor/executor.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace visage::pg {
namespace {

// Columns, in sql/install/54_attempt.sql.
enum Column : AttrNumber {
  kInstitution = 1,
  kKind,
  kKey,
  kSubject,
  kFailures,
  kFailuresInPeriod,
  kPeriodStart,
  kLastFailure,
  kLockedUntil,
  kUpdatedAt,
  kColumns = kUpdatedAt
};

KnownRelation attempt_table("attempt");
KnownRelation attempt_index("attempt_pkey");

// A counter's key as a value of its column.
struct StoredKey {
  explicit StoredKey(const AttemptTarget& target) {
    SET_VARSIZE(this, sizeof *this);
    memcpy(bytes, target.key, sizeof bytes);
  }
  int32 header;
  uint8_t bytes[keys::kKeyedHashSize];
};

// Labels of the column's type, in the order of kCounted: as long as the type is the same one, its values are.
const Oid* kind_values(Relation table) {
  static Oid type = InvalidOid;
  static Oid values[kAttemptKinds];
  const Oid now = TupleDescAttr(RelationGetDescr(table), kKind - 1)->atttypid;
  if (type == now) return values;
  type = InvalidOid;
  for (int i = 0; i < kAttemptKinds; ++i)
    values[i] = DatumGetObjectId(
        OidFunctionCall2(F_ENUM_IN, CStringGetDatum(attempt_kind_label(kCounted[i])), ObjectIdGetDatum(now)));
  type = now;
  return values;
}

// Where the row is, and the subject that it names.
bool find_row(Relation table, const Datum* values, ItemPointer place, Uuid& subject, bool& has_subject) {
  ScanKeyData keys[3];
  ScanKeyInit(&keys[0], kInstitution, BTEqualStrategyNumber, F_INT4EQ, values[kInstitution - 1]);
  ScanKeyInit(&keys[1], kKind, BTEqualStrategyNumber, F_ENUM_EQ, values[kKind - 1]);
  ScanKeyInit(&keys[2], kKey, BTEqualStrategyNumber, F_BYTEAEQ, values[kKey - 1]);
  const Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  SysScanDesc scan = systable_beginscan(table, attempt_index.oid(), true, snapshot, lengthof(keys), keys);
  const HeapTuple row = systable_getnext(scan);
  const bool found = HeapTupleIsValid(row);
  if (found) {
    bool is_null;
    const Datum value = heap_getattr(row, kSubject, RelationGetDescr(table), &is_null);
    has_subject = !is_null;
    if (has_subject) memcpy(subject.bytes, DatumGetUUIDP(value)->data, sizeof subject.bytes);
    *place = row->t_self;
  }
  systable_endscan(scan);
  UnregisterSnapshot(snapshot);
  return found;
}

void insert_row(AttemptRows& rows) {
  table_tuple_insert(rows.table, rows.slot, GetCurrentCommandId(true), 0, nullptr);
  visage_insert_index_tuples(rows.target, rows.slot, rows.executor);
}

// False when somebody deleted or changed the row since it was found.
bool replace_row(AttemptRows& rows, ItemPointer place) {
  TM_FailureData failure;
  LockTupleMode lock_mode;
  visage_update_indexes update_indexes;
  const TM_Result result =
      table_tuple_update(rows.table, place, rows.slot, GetCurrentCommandId(true), InvalidSnapshot,
                         InvalidSnapshot, true, &failure, &lock_mode, &update_indexes);
  if (result == TM_Updated || result == TM_Deleted) return false;
  if (result != TM_Ok) elog(ERROR, "visage.attempt: unexpected result %d of an update", result);
  if (static_cast<int>(update_indexes) != 0)
    visage_update_index_tuples(rows.target, rows.slot, rows.executor, update_indexes);
  return true;
}

}  // namespace

void read_attempt_rows(int32 institution, const AttemptTarget* const* targets, int count,
                       attempt::Failures* out) {
  Relation table = table_open(attempt_table.oid(), AccessShareLock);
  Relation index = index_open(attempt_index.oid(), AccessShareLock);
  const Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  const Oid* const kinds = kind_values(table);
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  IndexScanDesc scan = index_beginscan(table, index, snapshot, 3, 0);
  for (int i = 0; i < count; ++i) {
    const StoredKey key(*targets[i]);
    ScanKeyData keys[3];
    ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(institution));
    ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_ENUM_EQ,
                ObjectIdGetDatum(kinds[attempt_kind(targets[i]->kind)]));
    ScanKeyInit(&keys[2], 3, BTEqualStrategyNumber, F_BYTEAEQ, PointerGetDatum(&key));
    index_rescan(scan, keys, lengthof(keys), nullptr, 0);
    out[i] = {};
    if (!index_getnext_slot(scan, ForwardScanDirection, slot)) continue;
    const auto read = [&](Column column) {
      bool is_null;
      const Datum value = slot_getattr(slot, column, &is_null);
      return is_null ? Datum{0} : value;
    };
    out[i] = {static_cast<uint32>(DatumGetInt32(read(kFailures))),
              static_cast<uint32>(DatumGetInt32(read(kFailuresInPeriod))),
              DatumGetTimestampTz(read(kPeriodStart)), DatumGetTimestampTz(read(kLastFailure))};
  }
  index_endscan(scan);
  ExecDropSingleTupleTableSlot(slot);
  UnregisterSnapshot(snapshot);
  index_close(index, AccessShareLock);
  table_close(table, AccessShareLock);
}

void begin_attempt_rows(AttemptRows& rows) {
  rows.table = table_open(attempt_table.oid(), RowExclusiveLock);
  rows.kinds = kind_values(rows.table);
  rows.executor = CreateExecutorState();
  rows.target = makeNode(ResultRelInfo);
  InitResultRelInfo(rows.target, rows.table, 1, nullptr, 0);
  ExecOpenIndices(rows.target, false);
  rows.slot = table_slot_create(rows.table, nullptr);
}

void put_attempt_row(AttemptRows& rows, const AttemptRow& row, TimestampTz now) {
  // PostgreSQL's 'infinity' is the largest number.
  static_assert(attempt::kLockedForEver == DT_NOEND);
  const StoredKey key(row.target);
  Datum values[kColumns] = {};
  bool nulls[kColumns] = {};
  const auto set = [&](Column column, Datum value, bool is_null = false) {
    values[column - 1] = value;
    nulls[column - 1] = is_null;
  };
  set(kInstitution, Int32GetDatum(row.institution));
  set(kKind, ObjectIdGetDatum(rows.kinds[attempt_kind(row.target.kind)]));
  set(kKey, PointerGetDatum(&key));
  set(kFailures, Int32GetDatum(static_cast<int32>(row.failures.consecutive)));
  set(kFailuresInPeriod, Int32GetDatum(static_cast<int32>(row.failures.in_period)));
  set(kPeriodStart, TimestampTzGetDatum(row.failures.period_start), row.failures.in_period == 0);
  set(kLastFailure, TimestampTzGetDatum(row.failures.last_failure));
  set(kLockedUntil, TimestampTzGetDatum(row.locked_until), row.locked_until == attempt::kNotLocked);
  set(kUpdatedAt, TimestampTzGetDatum(now));
  for (;;) {
    CHECK_FOR_INTERRUPTS();
    ItemPointerData place;
    Uuid subject = {};
    bool has_subject = false;
    const bool found = find_row(rows.table, values, &place, subject, has_subject);
    set(kSubject, row.subject != nullptr ? uuid_datum(*row.subject) : uuid_datum(subject),
        row.subject == nullptr && !has_subject);
    ExecClearTuple(rows.slot);
    memcpy(rows.slot->tts_values, values, sizeof values);
    memcpy(rows.slot->tts_isnull, nulls, sizeof nulls);
    ExecStoreVirtualTuple(rows.slot);
    if (!found) return insert_row(rows);
    if (replace_row(rows, &place)) return;
  }
}

void end_attempt_rows(AttemptRows& rows) {
  ExecDropSingleTupleTableSlot(rows.slot);
  ExecCloseIndices(rows.target);
  FreeExecutorState(rows.executor);
  table_close(rows.table, NoLock);
}

}  // namespace visage::pg
