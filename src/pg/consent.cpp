#include "pg/consent.h"

#include "pg/boundary.h"
#include "pg/flow.h"
#include "pg/known_relation.h"
#include "pg/policy_generation.h"
#include "pg/statement.h"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace visage::pg {
namespace {

// Columns of visage.consent, in sql/install/80_consent.sql.
constexpr AttrNumber kIdColumn = 1, kInstitutionColumn = 2, kSubjectColumn = 3, kPurposeColumn = 4,
                     kValidUntilColumn = 5;

KnownRelation consent_table("consent");
KnownRelation consent_index("consent_in_force");

Statement find_rule = {"SELECT c.required, c.purpose, c.entitlement FROM visage.consent_needed($1, $2, $3) c",
                       3,
                       {"integer", "text", "text"}};
Statement find_entitlement = {
    "SELECT FROM visage.entitlement e WHERE e.institution = $1 AND e.valid_from <= "
    "pg_catalog.clock_timestamp() AND (e.valid_until IS NULL OR e.valid_until > "
    "pg_catalog.clock_timestamp())",
    1,
    {"integer"}};

// A consent that was given, has not ended and is not over.
bool find_consent(int32 institution, const text* subject, const char* purpose, Uuid& id) {
  // ScanKeyInit's collation is "C", as that of the index is.
  ScanKeyData keys[3];
  ScanKeyInit(&keys[0], kInstitutionColumn, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(institution));
  ScanKeyInit(&keys[1], kSubjectColumn, BTEqualStrategyNumber, F_TEXTEQ, PointerGetDatum(subject));
  ScanKeyInit(&keys[2], kPurposeColumn, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(purpose));
  const Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  Relation table = table_open(consent_table.oid(), AccessShareLock);
  SysScanDesc scan =
      systable_beginscan(table, consent_index.oid(), true, snapshot, static_cast<int>(lengthof(keys)), keys);
  bool found = false;
  const HeapTuple row = systable_getnext(scan);
  if (HeapTupleIsValid(row)) {
    const TupleDesc description = RelationGetDescr(table);
    bool is_null;
    memcpy(id.bytes, DatumGetUUIDP(heap_getattr(row, kIdColumn, description, &is_null))->data,
           sizeof id.bytes);
    const Datum valid_until = heap_getattr(row, kValidUntilColumn, description, &is_null);
    found = is_null || DatumGetTimestampTz(valid_until) > GetCurrentTimestamp();
  }
  systable_endscan(scan);
  table_close(table, AccessShareLock);
  UnregisterSnapshot(snapshot);
  return found;
}

}  // namespace

void load_consent_rule(int32 institution, const text* channel, const text* scenario, ConsentRule& out) {
  const Datum arguments[] = {Int32GetDatum(institution), PointerGetDatum(channel), PointerGetDatum(scenario)};
  if (execute(find_rule, arguments, nullptr, true) != 1) elog(ERROR, "visage.consent_needed() gave no row");
  bool is_null;
  out.required = DatumGetBool(column(0, 1, &is_null));
  strlcpy(out.purpose, column_text(0, 2), sizeof out.purpose);
  out.entitlement = DatumGetBool(column(0, 3, &is_null));
  SPI_freetuptable(SPI_tuptable);
}

bool check_consent(Flow& flow, const text* subject, bool registered) {
  const ConsentRule& rule = flow.policy.consent;
  if (!rule.required) return true;
  Uuid id;
  const bool found = find_consent(flow.policy.institution, subject, rule.purpose, id);
  if (!registered) return true;
  if (!found) return refuse(flow, Reason::kConsentMissing);
  const Datum text = DirectFunctionCall1(uuid_out, uuid_datum(id));
  flow.slot->record.object.set(psprintf("consent %s", DatumGetCString(text)));
  flow.slot->record.mark(audit::Field::kObject);
  return true;
}

bool may_show(const Flow& flow, const text* subject) {
  const ConsentRule& rule = flow.policy.consent;
  Uuid id;
  return !rule.required || find_consent(flow.policy.institution, subject, rule.purpose, id);
}

bool check_entitlement(Flow& flow) {
  if (!flow.policy.consent.entitlement) return true;
  const Datum arguments[] = {Int32GetDatum(flow.policy.institution)};
  begin_newest();
  const bool valid = execute(find_entitlement, arguments, nullptr, true) > 0;
  end_newest();
  SPI_freetuptable(SPI_tuptable);
  return valid || refuse(flow, Reason::kNotEntitled);
}

}  // namespace visage::pg
