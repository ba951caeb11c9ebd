#include "pg/identify.h"

#include "core/match/duplicate.h"
#include "pg/boundary.h"
#include "pg/candidate.h"
#include "pg/flow.h"
#include "pg/keys.h"
#include "pg/policy_generation.h"
#include "pg/request.h"
#include "pg/statement.h"

extern "C" {
#include "utils/fmgroids.h"
}

namespace visage::pg {
namespace {

constexpr size_t kUuidLength = 36;

Statement find_rule = {
    "SELECT p.enabled, p.fpir, p.max_candidates, p.scan_limit FROM visage.identify_policy p "
    "WHERE p.institution = $1 AND p.scenario IN ($2, '*') ORDER BY p.scenario = '*' LIMIT 1",
    2,
    {"integer", "text"}};
// Nobody who was cancelled or revoked since the search.
Statement find_name = {
    "SELECT s.external_id FROM visage.subject s WHERE s.id = $1 AND s.institution = $2 AND s.revoked_at IS "
    "NULL",
    2,
    {"uuid", "integer"}};

// Who is shown, the most alike first.
struct Ranking {
  int count;
  int others;  // found as well, and not asked for
  struct Ranked {
    Uuid subject;
    Datum name;
  } each[kMaxRanks];
};

int candidates_argument(FunctionCallInfo fcinfo, int index) {
  require_argument(fcinfo, index, "max_candidates");
  const int32 most = PG_GETARG_INT32(index);
  if (most < 1 || most > kMaxRanks)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("max_candidates is %d, allowed are 1 to %d", most, kMaxRanks)));
  return most;
}

// That nobody may be searched for here is a matter of how the site is set up, and no verdict.
void require_allowed(const Flow& flow, int most) {
  const IdentifyRule& rule = flow.policy.identification;
  if (!rule.allowed)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("scenario \"%s\" allows no identification", text_to_cstring(flow.scenario)),
                    errhint("An administrator allows it with a row in visage.identify_policy.")));
  if (most > rule.max_candidates)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("max_candidates is %d, scenario \"%s\" allows %d", most,
                           text_to_cstring(flow.scenario), rule.max_candidates)));
}

bool look_up_name(const Flow& flow, const Uuid& subject, Datum& out) {
  const Datum arguments[] = {uuid_datum(subject), Int32GetDatum(flow.policy.institution)};
  begin_newest();
  const bool found = execute(find_name, arguments, nullptr, true) == 1;
  end_newest();
  bool is_null;
  if (found) out = PointerGetDatum(DatumGetTextPCopy(column(0, 1, &is_null)));
  SPI_freetuptable(SPI_tuptable);
  return found;
}

// Those who reach the threshold and may be shown: people who have not consented to the purpose are not.
void rank(const Flow& flow, const Candidates& candidates, int most, Ranking& out) {
  for (int i = 0; i < candidates.count && candidates.best[i].score >= flow.threshold; ++i) {
    const Uuid& subject = candidates.best[i].subject;
    Datum name;
    if (!look_up_name(flow, subject, name) || !may_show(flow, DatumGetTextPP(name))) continue;
    if (out.count < most)
      out.each[out.count++] = {subject, name};
    else
      ++out.others;
  }
}

// For the record, and for a call that is made again.
void name_ranking(Flow& flow, uint64_t compared, const Ranking& ranking) {
  StringInfoData text;
  initStringInfo(&text);
  appendStringInfo(&text, "%llu references, FPIR %g", static_cast<unsigned long long>(compared),
                   flow.policy.identification.fpir);
  for (int i = 0; i < ranking.count; ++i)
    appendStringInfo(&text, "%s%s", i == 0 ? ": " : " ",
                     DatumGetCString(DirectFunctionCall1(uuid_out, uuid_datum(ranking.each[i].subject))));
  if (ranking.others > 0) appendStringInfo(&text, " and %d more", ranking.others);
  name_in_event(flow, text.data);
}

void search(Flow& flow, int most, Ranking& out) {
  const IdentifyRule& rule = flow.policy.identification;
  begin_scoring(flow);
  Candidates candidates;
  find_candidates(flow, {rule.fpir, rule.scan_limit, true}, candidates);
  // Each comparison keeps its share, as core/match/duplicate.h says.
  if (candidates.compared > 0) flow.policy.target_fmr = match::search_fmr(rule.fpir, candidates.compared);
  // Somebody who was not compared may be the very one, or look more alike than who was found.
  const bool decides = candidates.complete
                           ? candidates.compared == 0 || find_flow_threshold(flow, kReferenceScheme)
                           : refuse(flow, Reason::kUndetermined);
  if (decides) {
    rank(flow, candidates, most, out);
    flow.has_subject = out.count > 0;
    flow.subject = out.each[0].subject;
    flow.decision = out.count > 0 ? Decision::kAccept : Decision::kReject;
    flow.reason = out.count > 0 ? Reason::kOk : Reason::kNoMatch;
  }
  name_ranking(flow, candidates.compared, out);
}

// Those whom the earlier call showed, as far as they are still there.
void recall(const Flow& flow, Ranking& out) {
  const char* at = flow.repeated_object != nullptr ? strstr(flow.repeated_object, ": ") : nullptr;
  if (flow.decision != Decision::kAccept || at == nullptr) return;
  for (++at; out.count < kMaxRanks && *at == ' ' && strlen(at) > kUuidLength; at += 1 + kUuidLength) {
    const char* const digits = pnstrdup(at + 1, kUuidLength);
    if (strspn(digits, "0123456789abcdef-") != kUuidLength) break;  // "and so many more"
    Ranking::Ranked& ranked = out.each[out.count];
    memcpy(ranked.subject.bytes, DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(digits)))->data,
           sizeof ranked.subject.bytes);
    if (look_up_name(flow, ranked.subject, ranked.name) && may_show(flow, DatumGetTextPP(ranked.name)))
      ++out.count;
  }
}

// Under each one's own name, so that the history of a subject tells every identification that showed it.
void record_candidate(const Flow& flow, const Uuid& subject, int rank) {
  using audit::Field;
  audit::EventRecord& record = begin_record(audit::Operation::kFindCandidate).record;
  record.institution = flow.policy.institution;
  record.subject = subject;
  record.note.set(psprintf("identification %s, rank %d",
                           DatumGetCString(DirectFunctionCall1(uuid_out, uuid_datum(flow.transaction))),
                           rank));
  for (const Field field : {Field::kInstitution, Field::kSubject, Field::kNote}) record.mark(field);
  set_transaction(record);
  publish_record(AttemptResult::kRelease);
  await_record();
}

Datum label_datum(TupleDesc row, int column, const char* label) {
  return OidInputFunctionCall(F_ENUM_IN, const_cast<char*>(label), TupleDescAttr(row, column)->atttypid, -1);
}

// One row for each who is shown; where nobody is, one that says so, and why.
void put_rows(const Flow& flow, const Ranking& ranking, const ReturnSetInfo* result) {
  const char* const model = flow.repeated                      ? flow.repeated_model
                            : flow.contents->model_length != 0 ? flow.contents->model
                                                               : nullptr;
  Interval retry_after = {};
  retry_after.time = flow.retry_after_us;
  for (int i = 0; i < Max(ranking.count, 1); ++i) {
    const bool nobody = ranking.count == 0;
    Datum values[] = {Int32GetDatum(i + 1),
                      ranking.each[i].name,
                      label_datum(result->setDesc, 2, audit::label(flow.decision)),
                      label_datum(result->setDesc, 3, audit::label(flow.reason)),
                      uuid_datum(flow.transaction),
                      Float8GetDatum(flow.policy.identification.fpir),
                      model != nullptr ? CStringGetTextDatum(model) : 0,
                      Int32GetDatum(flow.policy.version),
                      IntervalPGetDatum(&retry_after),
                      Int64GetDatum(flow.seq)};
    bool nulls[lengthof(values)] = {nobody, nobody};
    nulls[6] = model == nullptr;
    nulls[8] = flow.reason != Reason::kLocked || flow.retry_after_us < 0;
    Assert(result->setDesc->natts == lengthof(values));
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  }
}

}  // namespace

void load_identify_rule(int32 institution, const text* scenario, IdentifyRule& out) {
  memset(&out, 0, sizeof out);
  const Datum arguments[] = {Int32GetDatum(institution), PointerGetDatum(scenario)};
  if (execute(find_rule, arguments, nullptr, true) == 1) {
    bool is_null;
    out.allowed = DatumGetBool(column(0, 1, &is_null));
    out.fpir = DatumGetFloat8(column(0, 2, &is_null));
    out.max_candidates = DatumGetInt32(column(0, 3, &is_null));
    out.scan_limit = DatumGetInt32(column(0, 4, &is_null));
  }
  SPI_freetuptable(SPI_tuptable);
}

// identify(probe, max_candidates, channel, scenario, context) → rank, subject, decision …
VISAGE_FUNCTION(visage_identify) {
  require_argument(fcinfo, 0, "probe");
  const int most = candidates_argument(fcinfo, 1);
  InitMaterializedSRF(fcinfo, 0);
  Flow flow;
  begin_flow(flow, audit::Operation::kIdentify, fcinfo, {2, 3, 4});
  require_allowed(flow, most);
  flow.has_probe = true;
  flow.policy.target_fmr = flow.policy.identification.fpir;
  Ranking ranking = {};
  if (repeats(flow, {.probe = PG_GETARG_VARLENA_PP(0), .kind = psprintf("%d", most)}))
    recall(flow, ranking);
  else if (enter_session(flow, nullptr) &&
           take_probe(flow, PG_GETARG_VARLENA_PP(0), flow.header, *flow.contents) &&
           hold_attempts(flow, nullptr) && check_floors(flow))
    search(flow, most, ranking);
  engine().forget_keys();
  if (!flow.repeated) {
    record_flow(flow);
    for (int i = 1; i < ranking.count; ++i) record_candidate(flow, ranking.each[i].subject, i + 1);
  }
  put_rows(flow, ranking, reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo));
  release_flow(flow);
  SPI_finish();
  return 0;
}

}  // namespace visage::pg
