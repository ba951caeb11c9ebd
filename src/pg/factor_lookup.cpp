// The row of an enrolled factor, read through its indexes as a subject's rows are.
#include "pg/boundary.h"
#include "pg/factor.h"
#include "pg/index_rows.h"
#include "pg/statement.h"
#include "pg/subject.h"

extern "C" {
#include "utils/snapmgr.h"
}

namespace visage::pg {
namespace {

// Columns, in sql/install/55_factor.sql.
constexpr AttrNumber kIdColumn = 1, kSubjectColumn = 2, kKindColumn = 3, kSealedColumn = 4;

KnownRelation factor_table("factor");
KnownRelation factor_index("factor_subject_kind_key");

}  // namespace

bool load_factor(const SessionRow& session, factor::Kind kind, FactorRow& out) {
  // Whoever is not registered costs the rows of somebody who is, as in a verification.
  const Uuid from = session.has_subject ? session.surrogate : uuid_by_chance();
  ScanKeyData key;
  ScanKeyInit(&key, kSubjectColumn, BTGreaterEqualStrategyNumber, F_UUID_GE, uuid_datum(from));
  const Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  bool found = false;
  Uuid subject = {};
  // Whoever has none costs the next one's row, which is then of no use.
  take_rows_until(factor_table, factor_index, snapshot, &key, 1, [&](HeapTuple row, TupleDesc description) {
    subject = uuid_of(row, kSubjectColumn, description);
    const Datum label = DirectFunctionCall1(enum_out, datum_of(row, kKindColumn, description));
    factor::Kind stored;
    found = subject == from && factor::find_kind(DatumGetCString(label), stored) && stored == kind;
    out.place = {
        kind, {static_cast<uint32_t>(session.institution), subject}, uuid_of(row, kIdColumn, description)};
    out.sealed = copy_of(row, kSealedColumn, description);
    return found || subject != from;
  });
  const bool has_key = find_subject_key(snapshot, subject, out.wrapped_key);
  UnregisterSnapshot(snapshot);
  return found && has_key && session.has_subject;
}

}  // namespace visage::pg
