#include "pg/key_lookup.h"

extern "C" {
#include "access/genam.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "executor/nodeHash.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

#include "pg/statement.h"

namespace visage::pg {
namespace {

// Columns of visage.subject_key, in sql/install/40_subject.sql.
constexpr AttrNumber kSubjectColumn = 1;
constexpr int kWrappedColumn = 2;
// After so many lookups a statement is taken to be a scan: with all keys in a hash a row took 2.7 µs instead
// of 5 (bench-score, 100,000 rows).
constexpr uint64 kScanAfter = 256;
// After so many finds in the order of storage the next ones are read ahead, so many blocks at once.
constexpr uint32 kInOrderAfter = 16;
constexpr BlockNumber kWindowBlocks = 64;

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

// Adds the keys that a scan finds, and ends it. False when they need more than `room`.
bool read_keys(Relation table, TableScanDesc scan,
               bool (*next)(TableScanDesc, ScanDirection, TupleTableSlot*), uint64 room, KeyTable* out) {
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  uint64 keys = 0;
  bool fits = true;
  while (fits && next(scan, ForwardScanDirection, slot)) {
    CHECK_FOR_INTERRUPTS();
    fits = key_table_size(++keys) <= room;
    if (!fits) break;
    copy_key(slot, *next_key(out));
    add_key(out);
  }
  table_endscan(scan);
  ExecDropSingleTupleTableSlot(slot);
  return fits;
}

// Fills lookup.all under the active snapshot, unless that takes more than a hash may.
void load_all(KeyLookup& lookup) {
  const uint64 room = get_hash_memory_limit();
  Relation table = open_subject_key();
  // A row takes as much room there as here: where there is far too much, nothing is read in vain.
  lookup.too_many = uint64{RelationGetNumberOfBlocks(table)} * BLCKSZ > 2 * room;
  if (!lookup.too_many) {
    KeyTable* all = create_key_table(lookup.context);
    TableScanDesc scan = table_beginscan(table, GetActiveSnapshot(), 0, nullptr);
    lookup.too_many = !read_keys(table, scan, table_scan_getnextslot, room, all);
    if (lookup.too_many)
      delete_key_table(all);
    else
      lookup.all = all;
  }
  table_close(table, AccessShareLock);
}

void drop_window(KeyLookup& lookup) {
  if (lookup.window != nullptr) delete_key_table(lookup.window);
  lookup.window = nullptr;
}

// As many as there is room for: what is missing is found through the index.
void load_window(KeyLookup& lookup) {
  drop_window(lookup);
  lookup.window = create_key_table(lookup.context);
  ItemPointerData first, last;
  ItemPointerSet(&first, lookup.block, FirstOffsetNumber);
  ItemPointerSet(&last, lookup.block + Min(kWindowBlocks - 1, MaxBlockNumber - lookup.block),
                 MaxOffsetNumber);
  Relation table = open_subject_key();
  TableScanDesc scan = table_beginscan_tidrange(table, GetActiveSnapshot(), &first, &last);
  read_keys(table, scan, table_scan_getnextslot_tidrange, get_hash_memory_limit(), lookup.window);
  table_close(table, AccessShareLock);
}

bool find_through_index(const Uuid& subject, KeyLookup& lookup) {
  Relation table = open_subject_key();
  Relation index = index_open(visage_primary_key_index(table), AccessShareLock);
  ScanKeyData key;
  ScanKeyInit(&key, kSubjectColumn, BTEqualStrategyNumber, F_UUID_EQ, uuid_datum(subject));
  IndexScanDesc scan = visage_index_beginscan(table, index, GetActiveSnapshot(), 1);
  index_rescan(scan, &key, 1, nullptr, 0);
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  const bool found = index_getnext_slot(scan, ForwardScanDirection, slot);
  if (found) {
    copy_key(slot, lookup.found);
    const BlockNumber block = ItemPointerGetBlockNumber(&slot->tts_tid);
    // Forward, by no more than a window; behind, the difference wraps around.
    lookup.in_order = block - lookup.block <= kWindowBlocks ? lookup.in_order + 1 : 0;
    lookup.block = block;
  }
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
  drop_window(lookup);
  lookup.in_order = 0;
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
  if (lookup.window != nullptr)
    if (const WrappedKey* key = find_key(lookup.window, subject)) return key;
  if (!find_through_index(subject, lookup)) return nullptr;
  if (lookup.too_many && lookup.in_order > kInOrderAfter) load_window(lookup);
  return &lookup.found;
}

}  // namespace visage::pg
