// Rows read through an index without a statement: each verification reads a handful, and a statement with its
// executor takes several times as long as the row.
#pragma once

#include "core/base/bytes.h"
#include "pg/known_relation.h"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "common/pg_prng.h"
#include "utils/rel.h"
}

namespace visage::pg {

// Rows of one table with the given keys, each handed to `take`, valid until it returns. A partial index must
// hold every row that the keys name.
template <typename Take>
void for_each_row(KnownRelation& known_table, KnownRelation& known_index, Snapshot snapshot, ScanKey keys,
                  int key_count, Take take) {
  Relation table = table_open(known_table.oid(), AccessShareLock);
  SysScanDesc scan = systable_beginscan(table, known_index.oid(), true, snapshot, key_count, keys);
  for (HeapTuple row; HeapTupleIsValid(row = systable_getnext(scan));) take(row, RelationGetDescr(table));
  systable_endscan(scan);
  table_close(table, AccessShareLock);
}

// The same in the index's order, until `take` says that it has enough.
template <typename Take>
void take_rows_until(KnownRelation& known_table, KnownRelation& known_index, Snapshot snapshot, ScanKey keys,
                     int key_count, Take take) {
  Relation table = table_open(known_table.oid(), AccessShareLock);
  SysScanDesc scan = systable_beginscan(table, known_index.oid(), true, snapshot, key_count, keys);
  for (HeapTuple row; HeapTupleIsValid(row = systable_getnext(scan));)
    if (take(row, RelationGetDescr(table))) break;
  systable_endscan(scan);
  table_close(table, AccessShareLock);
}

// Where to begin for somebody's row, whoever that is: the same one each time would lie nearer than others.
inline Uuid uuid_by_chance() {
  Uuid id;
  for (size_t i = 0; i < sizeof id.bytes; i += sizeof(uint64)) {
    const uint64 bits = pg_prng_uint64(&pg_global_prng_state);
    memcpy(id.bytes + i, &bits, sizeof bits);
  }
  return id;
}

inline Datum datum_of(HeapTuple row, AttrNumber column, TupleDesc description, bool* is_null) {
  return heap_getattr(row, column, description, is_null);
}

// Of a column that is never null.
inline Datum datum_of(HeapTuple row, AttrNumber column, TupleDesc description) {
  bool is_null;
  return heap_getattr(row, column, description, &is_null);
}

inline Uuid uuid_of(HeapTuple row, AttrNumber column, TupleDesc description) {
  Uuid value;
  memcpy(value.bytes, DatumGetUUIDP(datum_of(row, column, description))->data, sizeof value.bytes);
  return value;
}

// Detoasted, allocated in the current context.
inline Bytes copy_of(HeapTuple row, AttrNumber column, TupleDesc description) {
  const struct varlena* value = PG_DETOAST_DATUM_PACKED(datum_of(row, column, description));
  const size_t size = VARSIZE_ANY_EXHDR(value);
  auto* copy = static_cast<uint8_t*>(palloc(size));
  memcpy(copy, VARDATA_ANY(value), size);
  return {copy, size};
}

}  // namespace visage::pg
