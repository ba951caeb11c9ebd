// Showing a factor in a session.   [6.6e]
#include "pg/boundary.h"
#include "pg/factor.h"
#include "pg/keys.h"
#include "pg/statement.h"
#include "pg/subject.h"

namespace visage::pg {
namespace {

Statement find_name = {"SELECT s.external_id FROM visage.subject s WHERE s.id = $1", 1, {"uuid"}};

void wrong(Flow& flow, Reason reason) {
  flow.decision = Decision::kReject;
  flow.reason = reason;
}

// Password, code, assertion or certificate.
void check_evidence(Flow& flow, const SessionRow& session, factor::Kind kind, std::string_view text) {
  const AttemptTarget target = factor_target(session.institution, session.subject, kind);
  if (!hold_attempts(flow, &target, nullptr)) return;
  const FactorPolicy policy = load_factor_policy(session.institution);
  FactorRow row = {};
  bool enrolled = false;
  if (factor::is_stored(kind)) {
    const FactorRow decoy = factor_decoy(kind, policy);
    enrolled = load_factor(session, kind, row);
    if (!enrolled) row = decoy;
  }
  Evidence evidence = {flow, session, row, enrolled, policy, text, {}};
  begin_scoring(flow);
  Shown shown = Shown::kWrong;
  switch (kind) {
    case factor::Kind::kPassword:
      shown = check_password(evidence);
      break;
    case factor::Kind::kTotp:
      shown = check_totp_code(evidence);
      break;
    case factor::Kind::kOtp:
      shown = check_otp_assertion(evidence);
      break;
    case factor::Kind::kCertificate:
      shown = check_certificate(evidence);
      break;
    case factor::Kind::kFace:
      break;
  }
  if (shown == Shown::kRight)
    accept(flow);
  else
    wrong(flow, shown == Shown::kUsedBefore ? Reason::kReplayedFactor : Reason::kWrongFactor);
  if (evidence.why[0] != '\0') {
    flow.slot->record.note.set(evidence.why);
    flow.slot->record.mark(audit::Field::kNote);
  }
}

// A probe against the subject's references, as verify does it.
void check_face(Flow& flow, const SessionRow& session, text* evidence) {
  const Datum probe = OidInputFunctionCall(
      DatumGetObjectId(DirectFunctionCall1(regprocin, CStringGetDatum("visage.probe_in"))),
      text_to_cstring(evidence), InvalidOid, -1);
  // A session may name nobody, or somebody who was cancelled since; nobody has an empty name.
  const Datum arguments[] = {uuid_datum(session.surrogate)};
  text* name = cstring_to_text("");
  if (execute(find_name, arguments, nullptr, true) == 1 && session.has_subject)
    name = cstring_to_text(column_text(0, 1));
  flow.has_probe = true;
  SubjectRecord subject;
  load_subject(flow, name, false, subject);
  memcpy(flow.nonce, session.nonce, sizeof flow.nonce);
  flow.session_bound = true;
  if (!take_probe(flow, reinterpret_cast<struct varlena*>(DatumGetPointer(probe)), flow.header,
                  *flow.contents))
    return;
  const AttemptTarget source =
      attempt_target(keys::HashedKind::kSource, session.institution, flow.header.source.view());
  if (!hold_attempts(flow, &session.subject, &source) || !check_floors(flow)) return;
  match_subject(flow, subject);
  if (flow.reason == Reason::kNoMatch || flow.reason == Reason::kUnknownSubject)
    wrong(flow, Reason::kWrongFactor);
}

// Is the session one in which this call may show a factor? What policy denies may not try one either: it
// would be a way to guess at factors, and to lock them.
bool let_in(Flow& flow, const SessionRow& session) {
  if (session.used) return refuse(flow, Reason::kReplayedSession);
  if (GetCurrentTimestamp() >= session.expires_at) return refuse(flow, Reason::kExpiredSession);
  if (session.has_device && (flow.context.device == nullptr ||
                             memcmp(session.device, flow.slot->record.device, sizeof session.device) != 0))
    return refuse(flow, Reason::kSessionMismatch);
  return check_denied_in(flow, session);
}

}  // namespace

// present_factor(session, kind, evidence, context) → outcome
VISAGE_FUNCTION(visage_present_factor) {
  require_argument(fcinfo, 1, "kind");
  require_argument(fcinfo, 2, "evidence");
  require_argument(fcinfo, 3, "context");
  factor::Kind kind;
  if (!factor::find_kind(DatumGetCString(DirectFunctionCall1(enum_out, PG_GETARG_DATUM(1))), kind))
    elog(ERROR, "unknown kind of factor");
  text* evidence = PG_GETARG_TEXT_PP(2);
  Jsonb* context = PG_GETARG_JSONB_P(3);
  SessionRow session;
  session_argument(fcinfo, 0, session);
  if (!session.has_subject_hash)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the session is about no subject")));
  Flow flow;
  begin_flow(flow, audit::Operation::kPresentFactor, session.channel, session.scenario, context);
  flow.session = session.id;
  flow.has_session = true;
  flow.has_subject = session.has_subject;
  flow.subject = session.surrogate;
  flow.slot->record.object.set(factor::label(kind));
  flow.slot->record.mark(audit::Field::kObject);
  if (let_in(flow, session)) {
    if (kind == factor::Kind::kFace)
      check_face(flow, session, evidence);
    else
      check_evidence(flow, session, kind, {VARDATA_ANY(evidence), VARSIZE_ANY_EXHDR(evidence)});
  }
  const Datum outcome = finish_flow(flow, fcinfo);
  if (session.announced && flow.decision == Decision::kAccept) announce_session(session, "IN_PROGRESS");
  return outcome;
}

}  // namespace visage::pg
