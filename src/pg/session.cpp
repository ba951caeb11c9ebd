#include "pg/session.h"

#include "pg/boundary.h"
#include "pg/clock.h"
#include "pg/requirement.h"
#include "pg/settings.h"
#include "pg/shared.h"
#include "pg/statement.h"

extern "C" {
#include "commands/async.h"
#include "utils/json.h"
}

namespace visage::pg {
namespace {

constexpr char kNotifyChannel[] = "visage_session";
// Longer than any call takes between reading a session that has not expired and taking it.
constexpr int64 kMargin = 60 * USECS_PER_SEC;

bool same_name(const text* left, const text* right) {
  return VARSIZE_ANY_EXHDR(left) == VARSIZE_ANY_EXHDR(right) &&
         memcmp(VARDATA_ANY(left), VARDATA_ANY(right), VARSIZE_ANY_EXHDR(left)) == 0;
}

bool bound_to(const Flow& flow, const SessionRow& row, const text* subject) {
  if (row.purpose != flow.slot->record.operation || !same_name(row.channel, flow.channel) ||
      !same_name(row.scenario, flow.scenario) || (row.cross_channel && !row.claimed))
    return false;
  if (row.has_subject_hash != (subject != nullptr)) return false;
  if (subject != nullptr) {
    const Bytes name = as_bytes({VARDATA_ANY(subject), VARSIZE_ANY_EXHDR(subject)});
    const AttemptTarget target = attempt_target(keys::HashedKind::kSubject, row.institution, name);
    if (memcmp(target.key, row.subject.key, sizeof target.key) != 0) return false;
  }
  // The record has the device's hash already.
  return !row.has_device || (flow.context.device != nullptr &&
                             memcmp(row.device, flow.slot->record.device, sizeof row.device) == 0);
}

// What a session that is refused for this reason was not used for: nothing was compared or changed.
bool leaves_session(const Flow& flow) {
  if (flow.decision != Decision::kRefuse) return false;
  switch (flow.reason) {
    case Reason::kLiveness:
    case Reason::kUnknownSubject:
    case Reason::kSubjectExists:
    case Reason::kUnknownReference:
    case Reason::kLastReference:
    case Reason::kReferenceLimit:
    case Reason::kUnknownFactor:
    case Reason::kFactorExists:
    case Reason::kDuplicatePerson:
    case Reason::kUndetermined:
    case Reason::kReferenceExpired:
    case Reason::kRevoked:
      return false;
    default:
      return true;
  }
}

}  // namespace

bool opens_session(audit::Operation purpose) {
  switch (purpose) {
    case audit::Operation::kRegister:
    case audit::Operation::kVerify:
    case audit::Operation::kCompare:
    case audit::Operation::kAddReference:
    case audit::Operation::kDropReference:
    case audit::Operation::kReplaceReference:
    case audit::Operation::kCancel:
    case audit::Operation::kEnrolFactor:
    case audit::Operation::kReplaceFactor:
    case audit::Operation::kRemoveFactor:
    case audit::Operation::kUnlock:
    case audit::Operation::kIdentify:
      return true;
    default:
      return false;
  }
}

bool names_subject(audit::Operation purpose) {
  return purpose != audit::Operation::kCompare && purpose != audit::Operation::kIdentify;
}

bool compares_face(audit::Operation purpose) {
  return purpose == audit::Operation::kVerify || purpose == audit::Operation::kAddReference ||
         purpose == audit::Operation::kReplaceReference;
}

bool enter_session(Flow& flow, const text* subject) {
  const audit::Operation operation = flow.slot->record.operation;
  const Requirement required =
      find_requirement(flow.policy.institution, operation, flow.channel, flow.scenario);
  if (!flow.has_session) {
    flow.factors = compares_face(operation) ? 1 : 0;
    return (!required.session && !flow.policy.session_required) || refuse(flow, Reason::kSessionMissing);
  }
  SessionRow row;
  if (!find_session(flow.session, flow.policy.institution, row)) return refuse(flow, Reason::kUnknownSession);
  if (row.used) return refuse(flow, Reason::kReplayedSession);
  if (GetCurrentTimestamp() >= row.expires_at) return refuse(flow, Reason::kExpiredSession);
  if (!bound_to(flow, row, subject)) return refuse(flow, Reason::kSessionMismatch);
  const bool own_face = compares_face(operation);
  flow.factors_presented = row.presented - (own_face && row.face_presented ? 1 : 0);
  flow.factors = flow.factors_presented + (own_face ? 1 : 0);
  flow.face_presented = row.face_presented;
  if (flow.factors_presented < row.factors) return refuse(flow, Reason::kFactorMissing);
  if (!require_factors(flow, required.factors)) return false;
  // Last, so that whoever is refused does not take it from the one who is not.
  if (!take_session(row.id, to_unix(row.expires_at) + kMargin, unix_now()))
    return refuse(flow, Reason::kReplayedSession);
  flow.session_taken = flow.session_bound = true;
  flow.session_announced = row.announced;
  flow.document_required = row.document_required;
  memcpy(flow.nonce, row.nonce, sizeof flow.nonce);
  // The person is authenticated before the face is captured. [8.2.2b]
  if (operation == audit::Operation::kRegister && row.shown_at != 0)
    flow.captured_after = to_unix(row.shown_at) - static_cast<int64>(settings::clock_skew) * USECS_PER_SEC;
  return true;
}

bool check_denied_in(Flow& flow, const SessionRow& row) {
  const bool has_subject = flow.has_subject;
  const Uuid subject = flow.subject;
  // Somebody or nobody: the past is asked for either way.
  flow.claims_subject = row.has_subject_hash;
  flow.has_subject = row.has_subject;
  flow.subject = row.surrogate;
  const bool allowed = check_denied(flow, row.purpose);
  flow.claims_subject = false;
  flow.has_subject = has_subject;
  flow.subject = subject;
  return allowed;
}

bool require_factors(Flow& flow, int at_least) {
  return flow.factors >= at_least || refuse(flow, Reason::kFactorMissing);
}

int other_factors(const Flow& flow) {
  return flow.factors_presented - (flow.face_presented ? 1 : 0);
}

bool bind_probe(Flow& flow) {
  static const uint8_t kUnbound[kSessionNonceSize] = {};
  const uint8_t* expected = flow.session_bound ? flow.nonce : kUnbound;
  if (memcmp(flow.header.session_nonce, expected, kSessionNonceSize) != 0)
    return refuse(flow, Reason::kSessionMismatch);
  return flow.header.captured_at >= flow.captured_after || refuse(flow, Reason::kFactorMissing);
}

void mark_session(Flow& flow, bool scored) {
  if (!flow.has_session) return;
  audit::EventRecord& record = flow.slot->record;
  record.session = flow.session;
  record.mark(audit::Field::kSession);
  if (!flow.session_taken || (!scored && leaves_session(flow))) return;
  // Changes of factors have the kind there already.
  char object[audit::kMaxObjectLength + 1];
  const bool has_kind = record.has(audit::Field::kObject) && !record.object.view().starts_with("session");
  if (record.has(audit::Field::kObject) && !has_kind) return;
  snprintf(object, sizeof object, "session%s%.*s", has_kind ? "/" : "", has_kind ? record.object.size : 0,
           record.object.bytes);
  record.object.set(object);
  record.mark(audit::Field::kObject);
}

void leave_session(Flow& flow) {
  if (!flow.session_taken) return;
  if (leaves_session(flow)) {
    give_session_back(flow.session);
  } else if (flow.session_announced) {
    SessionRow row = {};
    row.id = flow.session;
    row.channel = flow.channel;
    announce_session(row, flow.decision == Decision::kAccept ? "SUCCEEDED" : "FAILED");
  }
}

void announce_session(const SessionRow& row, const char* state) {
  StringInfoData payload;
  initStringInfo(&payload);
  const char* const id = DatumGetCString(DirectFunctionCall1(uuid_out, uuid_datum(row.id)));
  appendStringInfo(&payload, "{\"session\": \"%s\", \"state\": \"%s\", \"institution\": ", id, state);
  escape_json(&payload, settings::institution);
  appendStringInfoString(&payload, ", \"channel\": ");
  escape_json(&payload, text_to_cstring(row.channel));
  appendStringInfoChar(&payload, '}');
  Async_Notify(kNotifyChannel, payload.data);
}

}  // namespace visage::pg
