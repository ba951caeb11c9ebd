// Candidates for calibrators: whom a search finds, with scores, consuming nothing.
#include "pg/boundary.h"
#include "pg/candidate.h"
#include "pg/flow.h"
#include "pg/keys.h"
#include "pg/policy.h"
#include "pg/probe.h"
#include "pg/secret_memory.h"

namespace visage::pg {

// score_candidates(probe, fpir, most) → (complete, compared, subject, score), best first; one row without a
// subject when there is none.
VISAGE_FUNCTION(visage_score_candidates) {
  key_ring();
  InitMaterializedSRF(fcinfo, 0);
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  Flow flow;
  memset(static_cast<void*>(&flow), 0, sizeof flow);
  flow.contents = allocate_contents(CurrentMemoryContext);
  const Search search = {PG_GETARG_FLOAT8(1), PG_GETARG_INT64(2), false};
  if (!(search.fpir > 0 && search.fpir < 1) || search.most < 0)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("fpir is between 0 and 1, and most is not negative")));
  Candidates found;
  SPI_connect();
  flow.policy.institution = acting_institution();
  const ProbeState state =
      open_probe(PG_GETARG_VARLENA_PP(0), flow.policy.institution, flow.header, *flow.contents);
  if (state == ProbeState::kOpened) find_candidates(flow, search, found);
  SPI_finish();
  release_contents(flow.contents);
  engine().forget_keys();
  if (state != ProbeState::kOpened)
    ereport(ERROR,
            (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("the probe's capture source is unknown or disabled")));
  for (int i = 0; i < Max(found.count, 1); ++i) {
    Datum values[] = {BoolGetDatum(found.complete), Int64GetDatum(static_cast<int64>(found.compared)),
                      UUIDPGetDatum(reinterpret_cast<pg_uuid_t*>(&found.best[i].subject)),
                      Float8GetDatum(found.best[i].score)};
    bool nulls[] = {false, false, found.count == 0, found.count == 0};
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  }
  return static_cast<Datum>(0);
}

}  // namespace visage::pg
