#include "pg/key_lookup.h"

extern "C" {
#include "access/genam.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "executor/nodeHash.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

#include "pg/statement.h"

namespace visage::pg {
namespace {

// Columns of visage.subject_key, in sql/install/40_subject.sql.
constexpr AttrNumber kSubjectColumn = 1;
constexpr int kWrappedColumn = 2;
// After so many lookups a statement is taken to be a scan: with all keys in a hash a row took 3.9 µs instead
// of 5.5 (bench-score, 100,000 rows).
constexpr uint64 kScanAfter = 256;

Relation open_subject_key() {
  return table_open(get_relname_relid("subject_key", get_namespace_oid("visage", false)), AccessShareLock);
}

void copy_key(TupleTableSlot* slot, WrappedKey& out) {
  bool is_null;
  memcpy(out.subject.bytes, DatumGetUUIDP(slot_getattr(slot, kSubjectColumn, &is_null))->data,
         sizeof out.subject.bytes);
  const struct varlena* wrapped = PG_DETOAST_DATUM_PACKED(slot_getattr(slot, kWrappedColumn, &is_null));
  out.size = static_cast<uint32_t>(Min(VARSIZE_ANY_EXHDR(wrapped), sizeof out.bytes));
  memcpy(out.bytes, VARDATA_ANY(wrapped), out.size);
}

// Fills lookup.all under the active snapshot, unless that takes more than a hash may.
void load_all(KeyLookup& lookup) {
  const uint64 room = get_hash_memory_limit();
  KeyTable* all = create_key_table(lookup.context);
  Relation table = open_subject_key();
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  TableScanDesc scan = table_beginscan(table, GetActiveSnapshot(), 0, nullptr);
  uint64 loaded = 0;
  while (table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
    CHECK_FOR_INTERRUPTS();
    lookup.too_many = key_table_size(++loaded) > room;
    if (lookup.too_many) break;
    copy_key(slot, *next_key(all));
    add_key(all);
  }
  table_endscan(scan);
  ExecDropSingleTupleTableSlot(slot);
  table_close(table, AccessShareLock);
  if (lookup.too_many)
    delete_key_table(all);
  else
    lookup.all = all;
}

bool find_through_index(const Uuid& subject, WrappedKey& out) {
  Relation table = open_subject_key();
  Relation index = index_open(visage_primary_key_index(table), AccessShareLock);
  ScanKeyData key;
  ScanKeyInit(&key, kSubjectColumn, BTEqualStrategyNumber, F_UUID_EQ, uuid_datum(subject));
  IndexScanDesc scan = visage_index_beginscan(table, index, GetActiveSnapshot(), 1);
  index_rescan(scan, &key, 1, nullptr, 0);
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  const bool found = index_getnext_slot(scan, ForwardScanDirection, slot);
  if (found) copy_key(slot, out);
  ExecDropSingleTupleTableSlot(slot);
  index_endscan(scan);
  index_close(index, AccessShareLock);
  table_close(table, AccessShareLock);
  return found;
}

// Two snapshots with these four equal see the same: a transaction that ends either was running before or
// raises xmax.
void follow_snapshot(KeyLookup& lookup) {
  const Snapshot snapshot = GetActiveSnapshot();
  if (lookup.xmin == snapshot->xmin && lookup.xmax == snapshot->xmax && lookup.running == snapshot->xcnt &&
      lookup.command == snapshot->curcid)
    return;
  if (lookup.all != nullptr) delete_key_table(lookup.all);
  lookup.all = nullptr;
  lookup.too_many = false;
  lookup.lookups = 0;
  lookup.xmin = snapshot->xmin;
  lookup.xmax = snapshot->xmax;
  lookup.running = snapshot->xcnt;
  lookup.command = snapshot->curcid;
}

}  // namespace

const WrappedKey* find_wrapped_key(KeyLookup& lookup, const Uuid& subject) {
  follow_snapshot(lookup);
  if (lookup.all == nullptr && !lookup.too_many && ++lookup.lookups > kScanAfter) load_all(lookup);
  if (lookup.all != nullptr) return find_key(lookup.all, subject);
  return find_through_index(subject, lookup.found) ? &lookup.found : nullptr;
}

}  // namespace visage::pg
