#include "pg/key_lookup.h"

extern "C" {
#include "access/genam.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

#include "pg/statement.h"

namespace visage::pg {
namespace {

// Columns of visage.subject_key, in sql/install/40_subject.sql.
constexpr AttrNumber kSubjectColumn = 1;
constexpr int kWrappedColumn = 2;

}  // namespace

bool find_wrapped_key(const Uuid& subject, WrappedKey& out) {
  const Oid table_id = get_relname_relid("subject_key", get_namespace_oid("visage", false));
  Relation table = table_open(table_id, AccessShareLock);
  Relation index = index_open(visage_primary_key_index(table), AccessShareLock);
  ScanKeyData key;
  ScanKeyInit(&key, kSubjectColumn, BTEqualStrategyNumber, F_UUID_EQ, uuid_datum(subject));
  IndexScanDesc scan = visage_index_beginscan(table, index, GetActiveSnapshot(), 1);
  index_rescan(scan, &key, 1, nullptr, 0);
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  const bool found = index_getnext_slot(scan, ForwardScanDirection, slot);
  if (found) {
    bool is_null;
    const struct varlena* wrapped = PG_DETOAST_DATUM_PACKED(slot_getattr(slot, kWrappedColumn, &is_null));
    out.size = Min(VARSIZE_ANY_EXHDR(wrapped), sizeof out.bytes);
    memcpy(out.bytes, VARDATA_ANY(wrapped), out.size);
  }
  ExecDropSingleTupleTableSlot(slot);
  index_endscan(scan);
  index_close(index, AccessShareLock);
  table_close(table, AccessShareLock);
  return found;
}

}  // namespace visage::pg
