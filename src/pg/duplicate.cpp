#include "pg/duplicate.h"

#include "pg/boundary.h"
#include "pg/candidate.h"
#include "pg/flow.h"
#include "pg/keys.h"
#include "pg/policy_generation.h"
#include "pg/statement.h"
#include "pg/subject.h"

extern "C" {
#include "common/hashfn.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
}

namespace visage::pg {
namespace {

using match::DuplicateAction;
using match::DuplicateFinding;

// Our own class of advisory locks, as that of biz_id in request.cpp is another.
constexpr uint16 kLockClass = 0x5644;

Statement find_rule = {
    "SELECT d.action, d.undetermined, d.fpir, d.scan_limit, "
    "EXISTS (SELECT FROM visage.duplicate_policy o WHERE o.institution = $1 AND o.action <> 'off') "
    "FROM (VALUES (1)) one LEFT JOIN LATERAL (SELECT * FROM visage.duplicate_policy p "
    "WHERE p.institution = $1 AND p.scenario IN ($2, '*') ORDER BY p.scenario = '*' LIMIT 1) d ON true",
    2,
    {"integer", "text"}};
// Of two that use it at once the second waits, and finds none when the first commits.
Statement use_allowance = {"SELECT visage.use_allowance($1, $2)", 2, {"integer", "text"}};
Statement insert_finding = {
    "INSERT INTO visage.duplicate_finding (id, institution, kind, registration, subject, found, others, "
    "fpir, "
    "compared, allowance) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    10,
    {"uuid", "integer", "text", "uuid", "uuid", "uuid", "integer", "double precision", "bigint", "uuid"}};

// Until the transaction ends: only then do others see whom it registered.
void take_turn(const Flow& flow, LOCKMODE mode) {
  const char* const name = psprintf("%d/%s", flow.policy.institution, flow.contents->model);
  const uint64 hash =
      hash_bytes_extended(reinterpret_cast<const unsigned char*>(name), static_cast<int>(strlen(name)), 0);
  LOCKTAG tag;
  SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, static_cast<uint32>(hash >> 32), static_cast<uint32>(hash),
                       kLockClass);
  (void)LockAcquire(&tag, mode, false, false);
}

DuplicateAction action_column(int number) {
  DuplicateAction action = DuplicateAction::kRefuse;
  const char* const label = column_text(0, number);
  if (label == nullptr) return DuplicateAction::kOff;
  if (!match::find_action(label, action)) elog(ERROR, "unknown action for duplicates");
  return action;
}

match::DuplicateSearch judge(const Flow& flow, const Candidates& candidates) {
  match::DuplicateSearch search = {};
  search.complete = candidates.complete;
  search.compared = candidates.compared;
  if (candidates.compared == 0) return search;
  search.best = candidates.best[0].score;
  search.calibrated =
      find_threshold(flow.policy.institution, flow.contents->model, kReferenceScheme,
                     match::search_fmr(flow.policy.duplicates.fpir, candidates.compared), search.threshold);
  return search;
}

void look_for_allowance(const Flow& flow, const text* subject, DuplicateCheck& out) {
  const Datum arguments[] = {Int32GetDatum(flow.policy.institution), PointerGetDatum(subject)};
  begin_newest();
  execute(use_allowance, arguments, nullptr, false);
  out.excused = !column_is_null(0, 1);
  if (out.excused) out.allowance = column_uuid(0, 1);
  SPI_freetuptable(SPI_tuptable);
  end_newest();
}

}  // namespace

void load_duplicate_rule(int32 institution, const text* scenario, DuplicateRule& out) {
  const Datum arguments[] = {Int32GetDatum(institution), PointerGetDatum(scenario)};
  execute(find_rule, arguments, nullptr, true);
  bool is_null;
  out.action = action_column(1);
  out.undetermined = action_column(2);
  out.fpir = DatumGetFloat8(column(0, 3, &is_null));
  if (is_null) out.fpir = 0;
  out.scan_limit = DatumGetInt32(column(0, 4, &is_null));
  out.serialised = DatumGetBool(column(0, 5, &is_null));
  SPI_freetuptable(SPI_tuptable);
}

bool check_duplicates(Flow& flow, const text* subject, DuplicateCheck& out) {
  memset(static_cast<void*>(&out), 0, sizeof out);
  const DuplicateRule& rule = flow.policy.duplicates;
  if (rule.action == DuplicateAction::kOff) {
    // Who does not look is still looked for by those who do.
    if (rule.serialised) take_turn(flow, ShareLock);
    return true;
  }
  take_turn(flow, ExclusiveLock);
  SubjectRecord existing;
  load_subject(flow, subject, false, existing);
  if (existing.found) return refuse(flow, Reason::kSubjectExists);
  begin_scoring(flow);
  Candidates candidates;
  find_candidates(flow, {rule.fpir, rule.scan_limit, false}, candidates);
  const match::DuplicateSearch search = judge(flow, candidates);
  out.finding = match::find_duplicate(search);
  out.compared = search.compared;
  if (out.finding == DuplicateFinding::kDuplicate) {
    out.found = candidates.best[0].subject;
    while (out.others + 1 < candidates.count && candidates.best[out.others + 1].score >= search.threshold)
      ++out.others;
  }
  out.ruling = match::rule_on(out.finding, rule.action, rule.undetermined, false);
  if (!out.ruling.registers) {
    look_for_allowance(flow, subject, out);
    out.ruling = match::rule_on(out.finding, rule.action, rule.undetermined, out.excused);
  }
  if (out.ruling.registers) return true;
  return refuse(
      flow, out.finding == DuplicateFinding::kDuplicate ? Reason::kDuplicatePerson : Reason::kUndetermined);
}

void record_finding(Flow& flow, const DuplicateCheck& check) {
  const bool duplicate = check.finding == DuplicateFinding::kDuplicate;
  const bool registered = flow.decision == Decision::kAccept;
  // Refused for another reason later: then nobody came in under a second name.
  if (!registered && flow.reason != Reason::kDuplicatePerson && flow.reason != Reason::kUndetermined) return;
  Uuid id = {};
  if (check.ruling.opens_finding) {
    raise_unless_ok(guarded([&] { return engine().random_uuid(id); }), "cannot make an identifier");
    const Datum values[] = {uuid_datum(id),
                            Int32GetDatum(flow.policy.institution),
                            CStringGetTextDatum(duplicate ? "duplicate" : "undetermined"),
                            uuid_datum(flow.transaction),
                            uuid_datum(flow.subject),
                            uuid_datum(check.found),
                            Int32GetDatum(check.others),
                            Float8GetDatum(flow.policy.duplicates.fpir),
                            Int64GetDatum(static_cast<int64>(check.compared)),
                            uuid_datum(check.allowance)};
    const char nulls[] = {' ',
                          ' ',
                          ' ',
                          ' ',
                          registered ? ' ' : 'n',
                          duplicate ? ' ' : 'n',
                          ' ',
                          ' ',
                          ' ',
                          check.excused ? ' ' : 'n',
                          '\0'};
    execute(insert_finding, values, nulls, false);
  }
  const Uuid registration = flow.transaction;
  const Datum registration_text = DirectFunctionCall1(uuid_out, uuid_datum(registration));
  const Datum id_text = DirectFunctionCall1(uuid_out, uuid_datum(id));
  audit::EventRecord& record = begin_record(audit::Operation::kFindDuplicate).record;
  record.institution = flow.policy.institution;
  record.mark(audit::Field::kInstitution);
  if (duplicate) {
    record.subject = check.found;
    record.mark(audit::Field::kSubject);
  }
  record.object.set(check.ruling.opens_finding ? psprintf("finding %s", DatumGetCString(id_text))
                                               : "registration");
  record.mark(audit::Field::kObject);
  record.note.set(psprintf("%s: registration %s, %llu references, FPIR %g, %d more%s",
                           duplicate ? "duplicate" : "undetermined", DatumGetCString(registration_text),
                           static_cast<unsigned long long>(check.compared), flow.policy.duplicates.fpir,
                           check.others, check.excused ? ", allowed" : ""));
  record.mark(audit::Field::kNote);
  set_transaction(record);
  publish_record(AttemptResult::kRelease);
  await_record();
}

}  // namespace visage::pg
