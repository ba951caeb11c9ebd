// Setting failures back: an administrator, or the subject by another factor. [8.2.5d, 6.6e]
#include "pg/attempt.h"
#include "pg/audit.h"
#include "pg/boundary.h"
#include "pg/factor.h"
#include "pg/flow.h"
#include "pg/keys.h"
#include "pg/policy.h"
#include "pg/statement.h"
#include "pg/subject.h"

namespace visage::pg {
namespace {

constexpr int kMaxWhyLength = 255;  // audit::kMaxNoteLength

Statement find_surrogate = {
    "SELECT s.id FROM visage.subject s WHERE s.institution = $1 AND s.external_id = $2",
    2,
    {"integer", "text"}};

AttemptTarget subject_counter(int32 institution, const text* subject) {
  return attempt_target(keys::HashedKind::kSubject, institution,
                        as_bytes({VARDATA_ANY(subject), VARSIZE_ANY_EXHDR(subject)}));
}

}  // namespace

// unlock(subject, why) → did anything stand against the subject?
VISAGE_FUNCTION(visage_unlock) {
  text* subject = subject_argument(fcinfo, 0);
  require_argument(fcinfo, 1, "why");
  text* why = PG_GETARG_TEXT_PP(1);
  if (VARSIZE_ANY_EXHDR(why) == 0 || VARSIZE_ANY_EXHDR(why) > kMaxWhyLength)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("why has %d bytes, allowed are 1 to %d", static_cast<int>(VARSIZE_ANY_EXHDR(why)),
                           kMaxWhyLength)));
  key_ring();
  SPI_connect();
  const int32 institution = acting_institution();
  using factor::Kind;
  const AttemptTarget target = subject_counter(institution, subject);
  const AttemptTarget targets[] = {target, factor_target(institution, target, Kind::kPassword),
                                   factor_target(institution, target, Kind::kTotp),
                                   factor_target(institution, target, Kind::kCertificate),
                                   factor_target(institution, target, Kind::kOtp)};
  static_assert(lengthof(targets) <= kMaxAttemptHolds);
  const Datum arguments[] = {Int32GetDatum(institution), PointerGetDatum(subject)};
  const bool registered = execute(find_surrogate, arguments, nullptr, true) != 0;
  const Uuid surrogate = registered ? column_uuid(0, 1) : Uuid{};
  Slot& slot = begin_record(audit::Operation::kUnlock);
  audit::EventRecord& record = slot.record;
  record.institution = institution;
  record.mark(audit::Field::kInstitution);
  record.subject = surrogate;
  if (registered) record.mark(audit::Field::kSubject);
  record.note.set({VARDATA_ANY(why), VARSIZE_ANY_EXHDR(why)});
  record.mark(audit::Field::kNote);
  const bool held = hold_for_unlock(institution, targets, lengthof(targets), slot.attempt);
  publish_record(AttemptResult::kUnlock);
  await_record();
  SPI_finish();
  PG_RETURN_BOOL(held);
}

// unlock_with_factors(subject, channel, scenario, context) → outcome
// The session shows that it is the subject; its face is what is locked, so factors of other kinds count.
VISAGE_FUNCTION(visage_unlock_with_factors) {
  text* subject = subject_argument(fcinfo, 0);
  Flow flow;
  begin_flow(flow, audit::Operation::kUnlock, fcinfo, {1, 2, 3});
  SubjectRecord record;
  load_subject(flow, subject, false, record);
  const bool entered = (flow.has_session || refuse(flow, Reason::kSessionMissing)) &&
                       enter_session(flow, subject) &&
                       (other_factors(flow) > 0 || refuse(flow, Reason::kFactorMissing)) && check_risk(flow);
  if (entered) {
    const AttemptTarget target = subject_counter(flow.policy.institution, subject);
    hold_for_unlock(flow.policy.institution, &target, 1, flow.slot->attempt);
    accept(flow);
  }
  return finish_flow(flow, fcinfo);
}

}  // namespace visage::pg
