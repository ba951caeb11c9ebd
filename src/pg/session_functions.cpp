// Opening, claiming and closing sessions.   [5.3, 6.5d]
#include <algorithm>

#include "core/challenge/challenge.h"
#include "pg/boundary.h"
#include "pg/clock.h"
#include "pg/keys.h"
#include "pg/policy_generation.h"
#include "pg/requirement.h"
#include "pg/session.h"
#include "pg/settings.h"
#include "pg/shared.h"
#include "pg/statement.h"
#include "pg/subject.h"

namespace visage::pg {
namespace {

Statement insert_session = {
    "INSERT INTO visage.session (id, institution, purpose, scenario, opened_channel, channel, subject_hash, "
    "subject, device, nonce, factors, challenge, opened_at, expires_at) "
    "SELECT $1, $2, $3::visage.operation, $4, $5, $6, $7, "
    "$8, $9, $10, "
    "$11::smallint, $12, $13, $13 + p.lifetime "
    "FROM visage.session_policy p WHERE p.institution IN ($2, 1) ORDER BY p.institution = $2 DESC LIMIT 1 "
    "RETURNING expires_at",
    13,
    {"uuid", "integer", "text", "text", "text", "text", "bytea", "uuid", "bytea", "bytea", "integer", "text",
     "timestamptz"}};

Statement find_steps = {
    "SELECT p.challenge_steps::integer FROM visage.session_policy p WHERE p.institution IN ($1, 1) "
    "ORDER BY p.institution = $1 DESC LIMIT 1",
    1,
    {"integer"}};

Statement claim = {
    "UPDATE visage.session SET claimed_at = $2, device = coalesce(device, $3) "
    "WHERE id = $1 AND claimed_at IS NULL",
    3,
    {"uuid", "timestamptz", "bytea"}};

bytea* bytes_value(const void* bytes, size_t size) {
  auto* value = static_cast<bytea*>(palloc(VARHDRSZ + size));
  SET_VARSIZE(value, VARHDRSZ + size);
  memcpy(VARDATA(value), bytes, size);
  return value;
}

// Different movements in an order that nobody can know before.
char* make_challenge(int32 institution) {
  const Datum arguments[] = {Int32GetDatum(institution)};
  execute(find_steps, arguments, nullptr, true);
  bool is_null;
  const int steps = std::min(DatumGetInt32(column(0, 1, &is_null)), static_cast<int>(challenge::kMovements));
  uint8_t random[challenge::kMovements];
  raise_unless_ok(guarded([&] { return engine().random(random); }), "cannot make a challenge");
  int order[challenge::kMovements];
  for (int i = 0; i < static_cast<int>(challenge::kMovements); ++i) order[i] = i;
  StringInfoData text;
  initStringInfo(&text);
  for (int i = 0; i < steps; ++i) {
    const int left = static_cast<int>(challenge::kMovements) - i;
    std::swap(order[i], order[i + random[i] % left]);
    appendStringInfo(&text, "%s%s", i == 0 ? "" : ",", challenge::kWords[static_cast<size_t>(order[i])]);
  }
  return text.data;
}

audit::Operation purpose_argument(FunctionCallInfo fcinfo, int index) {
  require_argument(fcinfo, index, "purpose");
  const char* const label = DatumGetCString(DirectFunctionCall1(enum_out, PG_GETARG_DATUM(index)));
  audit::Operation purpose;
  if (!audit::find_operation(label, purpose) || !opens_session(purpose))
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a session cannot be for \"%s\"", label),
                    errhint("It is for one flow: register, verify, cancel …")));
  return purpose;
}

// The channel where the session is to be finished, when the context names another.
text* finishing_channel(const Flow& flow) {
  const char* const name = flow.context.finish_channel;
  if (name == nullptr) return flow.channel;
  text* channel = cstring_to_text(name);
  Policy policy;
  load_policy(channel, flow.scenario, policy);
  return channel;
}

TupleDesc result_type(FunctionCallInfo fcinfo) {
  TupleDesc row;
  if (get_call_result_type(fcinfo, nullptr, &row) != TYPEFUNC_COMPOSITE)
    elog(ERROR, "return type must be a row type");
  return BlessTupleDesc(row);
}

constexpr int kOpenedColumns = 6;

void set_reason(TupleDesc type, int place, Reason reason, Datum* values, bool* nulls) {
  values[place] = OidInputFunctionCall(F_ENUM_IN, const_cast<char*>(audit::label(reason)),
                                       TupleDescAttr(type, place)->atttypid, -1);
  nulls[place] = false;
}

// Publishes the event of a function that gives no verdict, unless policy denied the call: that is one, and
// visage.explain_decision() tells its cause.
void record_session_event(Flow& flow) {
  audit::EventRecord& record = flow.slot->record;
  const auto unmark = [&](audit::Field field) { record.fields &= ~static_cast<uint32_t>(field); };
  begin_event(flow);
  unmark(audit::Field::kTargetFmr);
  if (flow.reason != Reason::kDenied) {
    unmark(audit::Field::kDecision);
    unmark(audit::Field::kReason);
  }
  if (flow.session != Uuid{}) {
    record.session = flow.session;
    record.mark(audit::Field::kSession);
  }
  publish_record(AttemptResult::kRelease);
  await_record();
}

}  // namespace

void session_argument(FunctionCallInfo fcinfo, int index, SessionRow& out) {
  require_argument(fcinfo, index, "session");
  Uuid id;
  memcpy(id.bytes, PG_GETARG_UUID_P(index)->data, sizeof id.bytes);
  key_ring();
  SPI_connect();
  if (!find_session(id, acting_institution(), out))
    ereport(ERROR,
            (errcode(ERRCODE_VISAGE_UNKNOWN_SESSION), errmsg("session does not exist"),
             errhint("It was opened by another institution, in a transaction that has not committed, or "
                     "more than a day ago.")));
  const auto keep = [](const text* value) {
    return DatumGetTextPP(SPI_datumTransfer(PointerGetDatum(value), false, -1));
  };
  out.channel = keep(out.channel);
  out.scenario = keep(out.scenario);
  text* challenge = keep(cstring_to_text(out.challenge));
  SPI_finish();
  out.challenge = text_to_cstring(challenge);
}

// open_session(subject, purpose, scenario, channel, context) → session, nonce, factors, challenge,
// expires_at, reason
VISAGE_FUNCTION(visage_open_session) {
  const audit::Operation purpose = purpose_argument(fcinfo, 1);
  const bool has_subject = names_subject(purpose);
  text* subject = has_subject ? subject_argument(fcinfo, 0) : nullptr;
  if (!has_subject && !PG_ARGISNULL(0))
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("a session for \"%s\" is about no subject", audit::label(purpose))));
  const TupleDesc type = result_type(fcinfo);
  Flow flow;
  begin_flow(flow, audit::Operation::kOpenSession, fcinfo, {3, 2, 4});
  const int32 institution = flow.policy.institution;
  text* channel = finishing_channel(flow);
  // As many as the flow would ask for from here and now; what changes until then, it asks again.
  flow.claims_subject = has_subject;
  flow.has_subject = has_subject && find_registered(institution, subject, flow.subject);
  flow.slot->record.object.set(audit::label(purpose));
  flow.slot->record.mark(audit::Field::kObject);
  if (!check_denied(flow, purpose)) {
    record_session_event(flow);
    release_flow(flow);
    SPI_finish();
    Datum values[kOpenedColumns] = {};
    bool nulls[kOpenedColumns];
    std::fill(std::begin(nulls), std::end(nulls), true);
    set_reason(type, kOpenedColumns - 1, flow.reason, values, nulls);
    PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(type, values, nulls)));
  }
  const Requirement required =
      find_requirement(institution, purpose, channel, flow.scenario, risk::level(flow.risk));
  // What scenarios and rules ask for is beside the face.
  const int factors =
      std::max(static_cast<int>(flow.risk.factors), required.factors - (compares_face(purpose) ? 1 : 0));
  uint8_t nonce[kSessionNonceSize];
  raise_unless_ok(guarded([&]() -> Status {
                    VISAGE_TRY(engine().ordered_uuid(unix_now(), flow.session));
                    return engine().random(nonce);
                  }),
                  "cannot make a session");
  const char* const challenge = make_challenge(institution);
  AttemptTarget name = {};
  if (has_subject)
    name = attempt_target(keys::HashedKind::kSubject, institution,
                          as_bytes({VARDATA_ANY(subject), VARSIZE_ANY_EXHDR(subject)}));
  const Datum arguments[] = {
      uuid_datum(flow.session),
      Int32GetDatum(institution),
      CStringGetTextDatum(audit::label(purpose)),
      PointerGetDatum(flow.scenario),
      PointerGetDatum(flow.channel),
      PointerGetDatum(channel),
      PointerGetDatum(bytes_value(name.key, sizeof name.key)),
      uuid_datum(flow.subject),
      PointerGetDatum(bytes_value(flow.slot->record.device, sizeof flow.slot->record.device)),
      PointerGetDatum(bytes_value(nonce, sizeof nonce)),
      Int32GetDatum(factors),
      CStringGetTextDatum(challenge),
      TimestampTzGetDatum(GetCurrentTimestamp())};
  char nulls[lengthof(arguments) + 1];
  memset(nulls, ' ', sizeof nulls);
  if (!has_subject) nulls[6] = 'n';
  if (!flow.has_subject) nulls[7] = 'n';
  // On another channel the device is the one that claims it.
  SessionRow row = {};
  row.id = flow.session;
  row.channel = channel;
  row.cross_channel =
      VARSIZE_ANY_EXHDR(channel) != VARSIZE_ANY_EXHDR(flow.channel) ||
      memcmp(VARDATA_ANY(channel), VARDATA_ANY(flow.channel), VARSIZE_ANY_EXHDR(channel)) != 0;
  if (flow.context.device == nullptr || row.cross_channel) nulls[8] = 'n';
  if (execute(insert_session, arguments, nulls, false) != 1)
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("visage.session_policy has no row of institution 1"), errhint("Put the row back.")));
  bool is_null;
  const Datum expires_at = column(0, 1, &is_null);
  record_session_event(flow);
  if (row.cross_channel) announce_session(row, "CREATED");
  Datum values[kOpenedColumns];
  values[0] = SPI_datumTransfer(uuid_datum(flow.session), false, UUID_LEN);
  values[1] = SPI_datumTransfer(arguments[9], false, -1);
  values[2] = Int16GetDatum(static_cast<int16>(factors));
  values[3] = SPI_datumTransfer(arguments[11], false, -1);
  values[4] = expires_at;
  SPI_finish();
  release_flow(flow);
  bool no_nulls[kOpenedColumns] = {};
  set_reason(type, kOpenedColumns - 1, Reason::kOk, values, no_nulls);
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(type, values, no_nulls)));
}

// claim_session(session, channel, context) → claimed, reason, purpose, scenario, nonce, factors, challenge, …
VISAGE_FUNCTION(visage_claim_session) {
  require_argument(fcinfo, 1, "channel");
  require_argument(fcinfo, 2, "context");
  const TupleDesc type = result_type(fcinfo);
  text* channel = PG_GETARG_TEXT_PP(1);
  SessionRow row;
  session_argument(fcinfo, 0, row);
  Flow flow;
  begin_flow(flow, audit::Operation::kClaimSession, row.channel, row.scenario, PG_GETARG_JSONB_P(2));
  flow.session = row.id;
  const uint8_t* const device = flow.slot->record.device;
  bool claimed = false;
  if (row.used) {
    refuse(flow, Reason::kReplayedSession);
  } else if (GetCurrentTimestamp() >= row.expires_at) {
    refuse(flow, Reason::kExpiredSession);
  } else if (!row.cross_channel || VARSIZE_ANY_EXHDR(channel) != VARSIZE_ANY_EXHDR(row.channel) ||
             memcmp(VARDATA_ANY(channel), VARDATA_ANY(row.channel), VARSIZE_ANY_EXHDR(channel)) != 0) {
    refuse(flow, Reason::kSessionMismatch);
  } else if (check_denied_in(flow, row)) {
    const Datum arguments[] = {uuid_datum(row.id), TimestampTzGetDatum(GetCurrentTimestamp()),
                               PointerGetDatum(bytes_value(device, keys::kKeyedHashSize))};
    const char nulls[] = {' ', ' ', flow.context.device != nullptr ? ' ' : 'n', '\0'};
    claimed = execute(claim, arguments, nulls, false) == 1;
    claimed ? (void)accept(flow) : (void)refuse(flow, Reason::kReplayedSession);
  }
  if (flow.reason != Reason::kDenied) {
    flow.slot->record.note.set(audit::label(flow.reason));
    flow.slot->record.mark(audit::Field::kNote);
  }
  record_session_event(flow);
  if (claimed) announce_session(row, "IN_PROGRESS");
  release_flow(flow);
  SPI_finish();
  Datum values[8] = {};
  bool nulls[lengthof(values)] = {};
  values[0] = BoolGetDatum(claimed);
  if (claimed) {
    values[2] = OidInputFunctionCall(F_ENUM_IN, const_cast<char*>(audit::label(row.purpose)),
                                     TupleDescAttr(type, 2)->atttypid, -1);
    values[3] = PointerGetDatum(row.scenario);
    values[4] = PointerGetDatum(bytes_value(row.nonce, sizeof row.nonce));
    values[5] = Int16GetDatum(static_cast<int16>(row.factors));
    values[6] = CStringGetTextDatum(row.challenge);
    values[7] = TimestampTzGetDatum(row.expires_at);
  }
  for (int i = 2; i < static_cast<int>(lengthof(values)); ++i) nulls[i] = !claimed;
  set_reason(type, 1, flow.reason, values, nulls);
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(type, values, nulls)));
}

// close_session(session) → was there anything to close?
VISAGE_FUNCTION(visage_close_session) {
  SessionRow row;
  session_argument(fcinfo, 0, row);
  Flow flow;
  begin_flow(flow, audit::Operation::kCloseSession, row.channel, row.scenario, nullptr);
  flow.session = row.id;
  const bool closes =
      !row.used && take_session(row.id, to_unix(row.expires_at) + 60 * USECS_PER_SEC, unix_now());
  if (closes) {
    flow.slot->record.object.set("session");
    flow.slot->record.mark(audit::Field::kObject);
  }
  record_session_event(flow);
  if (closes && row.announced) announce_session(row, "FAILED");
  release_flow(flow);
  SPI_finish();
  PG_RETURN_BOOL(closes);
}

}  // namespace visage::pg
