#include "pg/gallery_change.h"

#include "pg/boundary.h"
#include "pg/gallery_shared.h"
#include "pg/index_rows.h"
#include "pg/settings.h"
#include "pg/shared.h"
#include "pg/statement.h"

extern "C" {
#include "commands/trigger.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"
}

namespace visage::pg {
namespace {

KnownRelation reference_table("subject_reference");
KnownRelation reference_index("subject_reference_xid");
KnownRelation code_table("gallery_code");
KnownRelation code_index("gallery_code_xid");

Statement find_removals = {"SELECT r.reference FROM visage.gallery_removal r", 0, {}};
Statement drop_removals = {
    "DELETE FROM visage.gallery_removal r WHERE r.xid < $1 AND r.xid <> ALL ($2)", 2, {"xid8", "xid8[]"}};

Datum xid_datum(uint64 xid) {
  return FullTransactionIdGetDatum(FullTransactionIdFromU64(xid));
}

// Rows whose xid the snapshot did not see.
void collect(KnownRelation& table, KnownRelation& index, const char* identifier, const SeenTransactions& seen,
             UuidList& list) {
  const AttrNumber key = get_attnum(table.oid(), "xid");
  const AttrNumber column = get_attnum(table.oid(), identifier);
  const auto take = [&](HeapTuple row, TupleDesc description) {
    Uuid reference;
    memcpy(reference.bytes, DatumGetUUIDP(datum_of(row, column, description))->data, sizeof reference.bytes);
    add_to_list(list, reference);
  };
  ScanKeyData later;
  ScanKeyInit(&later, key, BTGreaterEqualStrategyNumber, F_XID8GE, xid_datum(seen.end));
  for_each_row(table, index, GetActiveSnapshot(), &later, 1, take);
  for (int i = 0; i < seen.running_count; ++i) {
    ScanKeyData of_one;
    ScanKeyInit(&of_one, key, BTEqualStrategyNumber, F_XID8EQ, xid_datum(seen.running[i]));
    for_each_row(table, index, GetActiveSnapshot(), &of_one, 1, take);
  }
}

bool wake_with_commit = false;

void at_transaction_end(XactEvent event, void*) {
  if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE) return;
  const bool wakes = wake_with_commit && event == XACT_EVENT_COMMIT;
  wake_with_commit = false;
  if (!wakes) return;
  LWLockAcquire(shared_lock(SharedLock::kGallery), LW_SHARED);
  Latch* const latch = gallery_shared().worker_latch;
  LWLockRelease(shared_lock(SharedLock::kGallery));
  if (latch != nullptr) SetLatch(latch);
}

// False where there is no worker to tell.
bool wake_worker() {
  // A library that is not preloaded has no shared memory.
  if (settings::gallery_memory == 0) return false;
  // Not yet connected, it will read everything. In another database nobody would take the list away.
  const Oid database = gallery_shared().database;
  if (OidIsValid(database) && database != MyDatabaseId) return false;
  static bool registered = false;
  if (!registered) RegisterXactCallback(at_transaction_end, nullptr);
  registered = true;
  wake_with_commit = true;
  return true;
}

}  // namespace

void collect_changes(const SeenTransactions& seen, ChangedReferences& out) {
  begin_list(out.references);
  collect(reference_table, reference_index, "id", seen, out.references);
  collect(code_table, code_index, "reference", seen, out.references);
  const uint64 rows = execute(find_removals, nullptr, nullptr, true);
  out.removals = rows > 0;
  for (uint64 i = 0; i < rows; ++i) {
    if (column_is_null(i, 1))
      out.everything = true;
    else
      add_to_list(out.references, column_uuid(i, 1));
  }
  SPI_freetuptable(SPI_tuptable);
  sort_list(out.references);
}

void collect_new_references(const SeenTransactions& seen, UuidList& out) {
  begin_list(out);
  collect(reference_table, reference_index, "id", seen, out);
  sort_list(out);
}

void delete_removals(const SeenTransactions& seen) {
  auto* const running =
      static_cast<Datum*>(palloc(sizeof(Datum) * static_cast<Size>(Max(seen.running_count, 1))));
  for (int i = 0; i < seen.running_count; ++i) running[i] = xid_datum(seen.running[i]);
  ArrayType* const array = construct_array(running, seen.running_count, XID8OID, sizeof(FullTransactionId),
                                           FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
  const Datum values[] = {xid_datum(seen.end), PointerGetDatum(array)};
  execute(drop_removals, values, nullptr, false);
}

// Trigger before a row comes or changes: which transaction's it is.
VISAGE_FUNCTION(visage_stamp_change) {
  if (!CALLED_AS_TRIGGER(fcinfo)) elog(ERROR, "visage.stamp_change() is a trigger");
  const auto* data = reinterpret_cast<const TriggerData*>(fcinfo->context);
  HeapTuple row = TRIGGER_FIRED_BY_UPDATE(data->tg_event) ? data->tg_newtuple : data->tg_trigtuple;
  TupleDesc description = RelationGetDescr(data->tg_relation);
  int column = SPI_fnumber(description, "xid");
  Datum value = FullTransactionIdGetDatum(GetTopFullTransactionId());
  bool is_null = false;
  wake_worker();
  return PointerGetDatum(heap_modify_tuple_by_cols(row, description, 1, &column, &value, &is_null));
}

// wake_gallery_worker(always) → does memory have to hear of a deletion?
VISAGE_FUNCTION(visage_wake_gallery_worker) {
  const bool always = PG_GETARG_BOOL(0);
  // A worker that has published and has no gallery, nor one that it fills, has nothing to forget.
  if (!always && settings::gallery_memory > 0 && gallery_shared().publication > 0 &&
      gallery_shared().gallery_count == 0)
    PG_RETURN_BOOL(false);
  PG_RETURN_BOOL(wake_worker());
}

}  // namespace visage::pg
