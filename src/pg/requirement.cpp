#include "pg/requirement.h"

#include "pg/boundary.h"
#include "pg/policy_generation.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

// The first institution's rows apply where an institution has none of its own for the operation.
Statement find_rows = {
    "SELECT coalesce(bool_or(r.session), false), coalesce(max(r.factors), 0)::integer "
    "FROM visage.requirement r WHERE r.operation = $2::visage.operation AND r.institution = "
    "CASE WHEN EXISTS (SELECT 1 FROM visage.requirement o WHERE o.institution = $1 AND o.operation = "
    "r.operation) "
    "THEN $1 ELSE 1 END "
    "AND r.channel IN ('*', $3) AND r.scenario IN ('*', $4) AND r.risk <= $5",
    5,
    {"integer", "text", "text", "text", "integer"}};

constexpr size_t kNameSize = 64;

struct RequirementKey {
  int32 institution;
  int32 operation;
  int32 risk;
  char channel[kNameSize];
  char scenario[kNameSize];
};
Kept<RequirementKey, Requirement, 32> kept;

Requirement read_requirement(const RequirementKey& key, const text* channel, const text* scenario) {
  const Datum arguments[] = {Int32GetDatum(key.institution),
                             CStringGetTextDatum(audit::label(static_cast<audit::Operation>(key.operation))),
                             PointerGetDatum(channel), PointerGetDatum(scenario), Int32GetDatum(key.risk)};
  begin_newest();
  execute(find_rows, arguments, nullptr, true);
  bool is_null;
  const Requirement found = {DatumGetBool(column(0, 1, &is_null)), DatumGetInt32(column(0, 2, &is_null))};
  SPI_freetuptable(SPI_tuptable);
  end_newest();
  return found;
}

}  // namespace

Requirement find_requirement(int32 institution, audit::Operation operation, const text* channel,
                             const text* scenario, int risk) {
  RequirementKey key;
  memset(static_cast<void*>(&key), 0, sizeof key);
  key.institution = institution;
  key.operation = static_cast<int32>(operation);
  key.risk = risk;
  // Flows check that names fit.
  memcpy(key.channel, VARDATA_ANY(channel), Min(VARSIZE_ANY_EXHDR(channel), kNameSize));
  memcpy(key.scenario, VARDATA_ANY(scenario), Min(VARSIZE_ANY_EXHDR(scenario), kNameSize));
  const uint64 generation = policy_generation();
  const Requirement* found = kept.find(key, generation);
  if (found == nullptr) {
    kept.keep(key, read_requirement(key, channel, scenario), generation);
    found = kept.find(key, generation);
  }
  return *found;
}

}  // namespace visage::pg
