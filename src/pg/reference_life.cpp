#include "pg/reference_life.h"

#include "core/reference/life.h"
#include "pg/boundary.h"
#include "pg/flow.h"
#include "pg/gallery_store.h"
#include "pg/keys.h"
#include "pg/policy_generation.h"
#include "pg/reference_store.h"
#include "pg/statement.h"
#include "pg/subject.h"

namespace visage::pg {
namespace {

using reference::Renewal;

// An institution without a row has those of institution 1. Without any, nothing is renewed and no adapted
// reference decides.
Statement find_rule = {
    "SELECT coalesce(a.adapt, false), coalesce(a.reprotect, false), coalesce(a.fmr, 0), "
    "coalesce(a.anchor_fmr, 0), a.liveness_floor, "
    "ARRAY(SELECT m.id FROM visage.measure m WHERE a.quality ? m.name ORDER BY m.id), "
    "ARRAY(SELECT (a.quality ->> m.name)::real FROM visage.measure m WHERE a.quality ? m.name ORDER BY "
    "m.id), "
    "coalesce(a.period, '0'), l.expire_after, "
    "EXISTS (SELECT FROM visage.gallery_policy g WHERE g.institution = $1 AND g.roll) "
    "FROM (VALUES (1)) one LEFT JOIN LATERAL (SELECT * FROM visage.adaptation_policy p "
    "WHERE p.institution IN ($1, 1) AND p.channel IN ($2, '*') "
    "ORDER BY p.institution <> $1, p.channel = '*' LIMIT 1) a ON true "
    "LEFT JOIN visage.reference_lifetime l ON l.institution = $1",
    2,
    {"integer", "text"}};
// Nobody waits for a subject that is being changed: another verification will do. With $2 not while an
// adaptation that was taken back is not yet a period ago.
Statement lock_subject = {
    "SELECT FROM visage.subject s WHERE s.id = $1 AND NOT EXISTS (SELECT FROM visage.adaptation_hold h "
    "WHERE h.subject = s.id AND h.since > $2) FOR UPDATE OF s SKIP LOCKED",
    2,
    {"uuid", "timestamptz"}};
// Are the references still those that were compared?
Statement count_references = {
    "SELECT count(*), count(*) FILTER (WHERE r.id = $2 AND r.generation = $3) "
    "FROM visage.subject_reference r WHERE r.subject = $1",
    3,
    {"uuid", "uuid", "integer"}};
Statement strictest_target = {
    "SELECT min(c.target_fmr) FROM visage.channel c WHERE c.institution = $1 AND c.enabled", 1, {"integer"}};
// $3: the open epoch of the gallery, null where there is none.
Statement drop_outdated = {
    "DELETE FROM visage.subject_reference r WHERE r.subject = $1 AND r.adapted AND (r.transform_version <> "
    "$2 OR EXISTS (SELECT FROM visage.gallery_code c WHERE c.reference = r.id AND c.gallery <> $3))",
    3,
    {"uuid", "bigint", "integer"}};
Statement find_in_epoch = {
    "SELECT r.id FROM visage.subject_reference r WHERE r.subject = $1 AND EXISTS "
    "(SELECT FROM visage.gallery_code c WHERE c.reference = r.id AND c.gallery = $2)",
    2,
    {"uuid", "integer"}};

TimestampTz before(const Interval& interval) {
  return DatumGetTimestampTz(DirectFunctionCall2(
      timestamptz_mi_interval, TimestampTzGetDatum(GetCurrentTimestamp()), IntervalPGetDatum(&interval)));
}

bool reaches_floors(const ReferenceRule& rule, const probe::Contents& contents) {
  return (!rule.has_liveness_floor || probe::floor_reached(rule.liveness_floor, contents)) &&
         probe::floors_reached({rule.floors, static_cast<size_t>(rule.floor_count)}, contents);
}

// References that policy wants to be made anew: under an older transform root, or without a code of the open
// epoch of the model's gallery.
struct Outdated {
  bool each[kMaxReferences];
};

void find_behind(const Flow& flow, const SubjectRecord& subject, int count, Outdated& out) {
  Gallery gallery;
  find_gallery(flow.policy.institution, *flow.contents, gallery);
  if (!gallery.open) return;
  const Datum arguments[] = {uuid_datum(flow.subject), Int32GetDatum(gallery.id)};
  const uint64 rows = execute(find_in_epoch, arguments, nullptr, true);
  for (int i = 0; i < count; ++i) {
    bool in_epoch = false;
    for (uint64 row = 0; row < rows; ++row)
      in_epoch = in_epoch || column_uuid(row, 1) == subject.references[i].id;
    out.each[i] = out.each[i] || !in_epoch;
  }
  SPI_freetuptable(SPI_tuptable);
}

// Is an original among them?
bool find_outdated(const Flow& flow, const SubjectRecord& subject, int count, Outdated& out) {
  const ReferenceRule& rule = flow.policy.references;
  const uint32_t newest = key_ring().transform.newest()->version;
  for (int i = 0; i < count; ++i)
    out.each[i] = rule.reprotects && subject.rows[i].transform_version != newest;
  if (rule.rolls) find_behind(flow, subject, count, out);
  for (int i = 0; i < count; ++i)
    if (!subject.rows[i].adapted && out.each[i]) return true;
  return false;
}

// What the decisions of the core look at.
struct Seen {
  int count;
  int comparable;
  int originals;  // of the comparable ones
  reference::Compared each[kMaxReferences];

  std::span<const reference::Compared> all() const { return {each, static_cast<size_t>(count)}; }
};

void see(const SubjectRecord& subject, const Matches& matches, const Outdated& outdated, Seen& out) {
  out.count = matches.count;
  out.comparable = out.originals = 0;
  for (int i = 0; i < matches.count; ++i) {
    const ReferenceRow& row = subject.rows[i];
    out.each[i] = {matches.each[i].comparable, row.adapted, outdated.each[i], matches.each[i].score,
                   row.created_at};
    if (!matches.each[i].comparable) continue;
    ++out.comparable;
    if (!row.adapted) ++out.originals;
  }
}

// Of several comparisons each keeps its share, as in the verification itself.
bool find_share(const Flow& flow, double fmr, int shares, double& threshold) {
  return shares > 0 && find_threshold(flow.policy.institution, flow.contents->model, kReferenceScheme,
                                      fmr / shares, threshold);
}

reference::Plan plan(const Flow& flow, const SubjectRecord& subject, const Matches& matches,
                     const Outdated& outdated) {
  const ReferenceRule& rule = flow.policy.references;
  Seen seen;
  see(subject, matches, outdated, seen);
  reference::Guards guards = {};
  guards.adapts = rule.adapts;
  guards.reprotects = rule.reprotects || rule.rolls;
  guards.reaches_floors = reaches_floors(rule, *flow.contents);
  guards.has_strict = find_share(flow, rule.fmr, seen.comparable, guards.strict);
  guards.has_anchor = find_share(flow, rule.anchor_fmr, seen.originals, guards.anchor);
  guards.adapted_before = before(rule.period);
  return reference::plan_renewal(seen.all(), guards);
}

// One more reference must leave every channel a threshold, or its verifications would end.
bool room_for_one(const Flow& flow, int references) {
  if (references >= kMaxReferences) return false;
  const Datum arguments[] = {Int32GetDatum(flow.policy.institution)};
  execute(strictest_target, arguments, nullptr, true);
  bool is_null;
  const double target = DatumGetFloat8(column(0, 1, &is_null));
  SPI_freetuptable(SPI_tuptable);
  double threshold;
  return !is_null && find_threshold(flow.policy.institution, flow.contents->model, kReferenceScheme,
                                    target / (references + 1), threshold);
}

// Takes the subject, and looks whether all is as it was when it was compared.
bool take_subject(const Flow& flow, const SubjectRecord& subject, const reference::Plan& plan) {
  const ReferenceRule& rule = flow.policy.references;
  const Datum lock_arguments[] = {
      uuid_datum(flow.subject),
      TimestampTzGetDatum(plan.what == Renewal::kAdapt ? before(rule.period) : DT_NOEND)};
  const Datum count_arguments[] = {
      uuid_datum(flow.subject), uuid_datum(subject.references[plan.anchor].id),
      Int32GetDatum(static_cast<int32>(subject.references[plan.anchor].generation))};
  begin_newest();
  bool same = execute(lock_subject, lock_arguments, nullptr, false) == 1;
  end_newest();
  if (!same) return false;
  begin_newest();
  execute(count_references, count_arguments, nullptr, true);
  bool is_null;
  same = DatumGetInt64(column(0, 1, &is_null)) == subject.reference_count &&
         DatumGetInt64(column(0, 2, &is_null)) == 1;
  SPI_freetuptable(SPI_tuptable);
  end_newest();
  return same;
}

void record_renewal(const Flow& flow, audit::Operation operation, const NewReference& made,
                    const char* note) {
  using audit::Field;
  audit::EventRecord& record = begin_record(operation).record;
  record.institution = flow.policy.institution;
  record.subject = flow.subject;
  record.channel.set({VARDATA_ANY(flow.channel), VARSIZE_ANY_EXHDR(flow.channel)});
  record.scenario.set({VARDATA_ANY(flow.scenario), VARSIZE_ANY_EXHDR(flow.scenario)});
  record.decision = Decision::kAccept;
  record.reason = Reason::kOk;
  record.target_fmr = flow.policy.references.fmr;
  record.model.set(flow.contents->model_id());
  record.policy_version = flow.policy.version;
  record.source = flow.header.source;
  record.probe = flow.header.probe;
  record.reference = made.header.reference;
  memcpy(record.after, made.digest, sizeof record.after);
  record.note.set(note);
  for (const Field field :
       {Field::kInstitution, Field::kSubject, Field::kChannel, Field::kScenario, Field::kDecision,
        Field::kReason, Field::kTargetFmr, Field::kModel, Field::kPolicyVersion, Field::kSource,
        Field::kProbe, Field::kReference, Field::kAfter, Field::kNote})
    record.mark(field);
  set_transaction(record);
  publish_record(AttemptResult::kRelease);
  await_record();
}

const char* name_of(const Uuid& uuid) {
  return DatumGetCString(DirectFunctionCall1(uuid_out, uuid_datum(uuid)));
}

void adapt(Flow& flow, const SubjectRecord& subject, const reference::Plan& plan) {
  NewReference made;
  if (plan.has_adapted) {
    remake_reference(*flow.contents, subject.owner, subject.wrapped_key, subject.references[plan.adapted],
                     made);
    if (!update_reference(made, true)) return;
  } else {
    make_reference(*flow.contents, subject.owner, subject.wrapped_key, made);
    insert_reference(made, flow.contents->model, flow.channel, true, kCapture);
  }
  record_renewal(flow, audit::Operation::kAdaptReference, made,
                 psprintf("verification %s, original %s", name_of(flow.transaction),
                          name_of(subject.references[plan.anchor].id)));
}

void reprotect(Flow& flow, const SubjectRecord& subject, const reference::Plan& plan) {
  NewReference made;
  remake_reference(*flow.contents, subject.owner, subject.wrapped_key, subject.references[plan.anchor], made);
  if (!update_reference(made, false)) return;
  // An adapted one under an older root, or of an earlier epoch, is of an older capture than this, and would
  // keep that root or epoch needed.
  const Datum arguments[] = {uuid_datum(flow.subject), Int64GetDatum(made.header.transform_version),
                             Int32GetDatum(made.gallery)};
  execute(drop_outdated, arguments, made.code != nullptr ? nullptr : "  n", false);
  const uint32_t before = subject.rows[plan.anchor].transform_version;
  record_renewal(flow, audit::Operation::kReprotect, made,
                 before != made.header.transform_version
                     ? psprintf("verification %s, transform key version %u to %u", name_of(flow.transaction),
                                before, made.header.transform_version)
                     : psprintf("verification %s, gallery epoch %u", name_of(flow.transaction), made.epoch));
}

}  // namespace

void load_reference_rule(int32 institution, const text* channel, ReferenceRule& out) {
  memset(static_cast<void*>(&out), 0, sizeof out);
  const Datum arguments[] = {Int32GetDatum(institution), PointerGetDatum(channel)};
  execute(find_rule, arguments, nullptr, true);
  bool is_null;
  out.adapts = DatumGetBool(column(0, 1, &is_null));
  out.reprotects = DatumGetBool(column(0, 2, &is_null));
  out.fmr = DatumGetFloat8(column(0, 3, &is_null));
  out.anchor_fmr = DatumGetFloat8(column(0, 4, &is_null));
  const Datum liveness_floor = column(0, 5, &is_null);
  out.has_liveness_floor = !is_null;
  out.liveness_floor = is_null ? 0 : DatumGetFloat4(liveness_floor);
  ArrayType* measures = DatumGetArrayTypeP(column(0, 6, &is_null));
  ArrayType* minima = DatumGetArrayTypeP(column(0, 7, &is_null));
  out.floor_count = ArrayGetNItems(ARR_NDIM(measures), ARR_DIMS(measures));
  if (out.floor_count > kMaxAdaptationFloors)
    ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
                    errmsg("visage.adaptation_policy names more than %d measures", kMaxAdaptationFloors)));
  for (int i = 0; i < out.floor_count; ++i)
    out.floors[i] = {static_cast<probe::Measure>(reinterpret_cast<const int16*>(ARR_DATA_PTR(measures))[i]),
                     reinterpret_cast<const float*>(ARR_DATA_PTR(minima))[i]};
  out.period = *DatumGetIntervalP(column(0, 8, &is_null));
  out.rolls = DatumGetBool(column(0, 10, &is_null));
  const Datum expire_after = column(0, 9, &is_null);
  out.expires = !is_null;
  if (out.expires) out.expire_after = *DatumGetIntervalP(expire_after);
  SPI_freetuptable(SPI_tuptable);
}

TimestampTz expiry_cutoff(const ReferenceRule& rule) {
  return rule.expires ? before(rule.expire_after) : DT_NOBEGIN;
}

double anchored_score(const Flow& flow, const SubjectRecord& subject, const Matches& matches) {
  Seen seen;
  see(subject, matches, {}, seen);
  double anchor = 0;
  const bool has_anchor = find_share(flow, flow.policy.references.anchor_fmr, seen.originals, anchor);
  return reference::deciding_score(seen.all(), has_anchor, anchor);
}

void renew_references(Flow& flow, const SubjectRecord& subject, const Matches& matches) {
  const ReferenceRule& rule = flow.policy.references;
  // An old snapshot would not let it change what somebody else has changed since.
  if (flow.decision != Decision::kAccept || XactReadOnly || IsolationUsesXactSnapshot()) return;
  Outdated outdated = {};
  if (!find_outdated(flow, subject, matches.count, outdated) && !rule.adapts) return;
  const reference::Plan planned = plan(flow, subject, matches, outdated);
  if (planned.what == Renewal::kNone) return;
  if (planned.what == Renewal::kAdapt && !planned.has_adapted && !room_for_one(flow, subject.reference_count))
    return;
  record_flow(flow);
  if (!take_subject(flow, subject, planned)) return;
  if (planned.what == Renewal::kAdapt)
    adapt(flow, subject, planned);
  else
    reprotect(flow, subject, planned);
}

}  // namespace visage::pg
