#include "pg/flow.h"

#include "core/keys/ledger_key.h"
#include "pg/boundary.h"
#include "pg/clock.h"
#include "pg/keys.h"
#include "pg/probe.h"
#include "pg/request.h"
#include "pg/requirement.h"
#include "pg/secret_memory.h"
#include "pg/settings.h"
#include "pg/shared.h"
#include "pg/sighting.h"
#include "pg/statement.h"

extern "C" {
#include "utils/typcache.h"
}

namespace visage::pg {
namespace {

constexpr int kMaxSubjectLength = 256;
constexpr int kMaxNameLength = 63;

// Expired by its own word, by ours, or dated ahead of us by more than clocks may differ.
bool expired(const probe::Header& header, int64 now) {
  const int64 skew = static_cast<int64>(settings::clock_skew) * USECS_PER_SEC;
  const int64 max_age = static_cast<int64>(settings::probe_max_age) * USECS_PER_SEC;
  return now >= header.expires_at || now - header.captured_at >= max_age || header.captured_at - now > skew;
}

// All that is known of the flow so far.
void fill_record(const Flow& flow) {
  using audit::Field;
  audit::EventRecord& record = flow.slot->record;
  const auto set_uuid = [&](Field field, bool known, const Uuid& value, Uuid& out) {
    if (!known) return;
    out = value;
    record.mark(field);
  };
  record.mark(Field::kInstitution);
  record.institution = flow.policy.institution;
  record.mark(Field::kChannel);
  record.channel.set({VARDATA_ANY(flow.channel), VARSIZE_ANY_EXHDR(flow.channel)});
  record.mark(Field::kScenario);
  record.scenario.set({VARDATA_ANY(flow.scenario), VARSIZE_ANY_EXHDR(flow.scenario)});
  record.mark(Field::kDecision);
  record.decision = flow.decision;
  record.mark(Field::kReason);
  record.reason = flow.reason;
  record.mark(Field::kTargetFmr);
  record.target_fmr = flow.policy.target_fmr;
  record.mark(Field::kPolicyVersion);
  record.policy_version = flow.policy.version;
  set_uuid(Field::kSubject, flow.has_subject, flow.subject, record.subject);
  set_uuid(Field::kSource, flow.has_probe, flow.header.source, record.source);
  set_uuid(Field::kProbe, flow.has_probe, flow.header.probe, record.probe);
  set_uuid(Field::kReference, flow.has_reference, flow.reference, record.reference);
  if (flow.contents->model_length != 0) {
    record.mark(Field::kModel);
    record.model.set(flow.contents->model_id());
    record_capture(flow.policy, *flow.contents, record);
  }
  if (flow.context.business_id != nullptr) {
    record.mark(Field::kBusinessId);
    record.business_id.set(flow.context.business_id);
  }
  instr_time elapsed;
  INSTR_TIME_SET_CURRENT(elapsed);
  INSTR_TIME_SUBTRACT(elapsed, flow.began);
  record.mark(Field::kElapsed);
  record.elapsed_us = static_cast<int64>(INSTR_TIME_GET_MICROSEC(elapsed));
  set_transaction(record);
}

void fill_context(const Flow& flow) {
  audit::EventRecord& record = flow.slot->record;
  const auto hash = [&](audit::Field field, keys::HashedKind kind, const char* value, uint8_t* out) {
    if (value == nullptr) return;
    memcpy(out, attempt_target(kind, flow.policy.institution, as_bytes(value)).key, keys::kKeyedHashSize);
    record.mark(field);
  };
  hash(audit::Field::kAddress, keys::HashedKind::kAddress, flow.context.address, record.address);
  hash(audit::Field::kDevice, keys::HashedKind::kDevice, flow.context.device, record.device);
  flow.slot->keep_detail =
      flow.policy.keep_details && (flow.context.address != nullptr || flow.context.device != nullptr);
  flow.slot->detail.address.set(flow.context.address != nullptr ? flow.context.address : "");
  flow.slot->detail.device.set(flow.context.device != nullptr ? flow.context.device : "");
}

// What the risk rules look at.
RiskCall risk_call(const Flow& flow) {
  const audit::EventRecord& record = flow.slot->record;
  RiskCall call = {};
  call.institution = flow.policy.institution;
  call.operation = record.operation;
  call.channel = {VARDATA_ANY(flow.channel), VARSIZE_ANY_EXHDR(flow.channel)};
  call.scenario = {VARDATA_ANY(flow.scenario), VARSIZE_ANY_EXHDR(flow.scenario)};
  call.scenario_factors = flow.policy.factors;
  call.context = &flow.context;
  call.address_hash = record.has(audit::Field::kAddress) ? record.address : nullptr;
  call.device_hash = record.has(audit::Field::kDevice) ? record.device : nullptr;
  call.claims_subject = flow.claims_subject || flow.has_subject;
  call.subject = flow.has_subject ? &flow.subject : nullptr;
  return call;
}

// Of scored calls about a subject alone: what rules on the past look at.
bool remembered(const Flow& flow) {
  return flow.keeps_sighting && flow.claims_subject && flow.has_probe;
}

// What fired, for the record.
void note_risk(const Flow& flow) {
  audit::EventRecord& record = flow.slot->record;
  char note[audit::kMaxNoteLength];
  const size_t size = risk::describe(flow.risk, note);
  if (size == 0) return;
  record.note.set({note, size});
  record.mark(audit::Field::kNote);
}

// A comparison that fails and a presentation that is not alive count; what never got so far does not.
AttemptResult result_of(const Flow& flow) {
  if (flow.decision == Decision::kAccept)
    return flow.slot->record.operation == audit::Operation::kUnlock ? AttemptResult::kUnlock
                                                                    : AttemptResult::kSuccess;
  switch (flow.reason) {
    case Reason::kNoMatch:
    case Reason::kUnknownSubject:
    case Reason::kLiveness:
    case Reason::kWrongFactor:
    case Reason::kReplayedFactor:
    case Reason::kDuplicatePerson:  // or one could ask without limit whose face is in the store
      return AttemptResult::kFailure;
    default:
      return AttemptResult::kRelease;
  }
}

}  // namespace

void begin_flow(Flow& flow, audit::Operation operation, FunctionCallInfo fcinfo, FlowArguments arguments) {
  text* channel = name_argument(fcinfo, arguments.channel, "channel");
  text* scenario = name_argument(fcinfo, arguments.scenario, "scenario");
  require_argument(fcinfo, arguments.context, "context");
  begin_flow(flow, operation, channel, scenario, PG_GETARG_JSONB_P(arguments.context));
}

void begin_flow(Flow& flow, audit::Operation operation, text* channel, text* scenario, Jsonb* context) {
  memset(static_cast<void*>(&flow), 0, sizeof flow);
  flow.decision = Decision::kRefuse;
  flow.captured_after = PG_INT64_MIN;
  INSTR_TIME_SET_CURRENT(flow.began);
  flow.channel = channel;
  flow.scenario = scenario;
  key_ring();
  if (context != nullptr) read_context(context, flow.context);
  flow.has_session = flow.context.has_session;
  flow.session = flow.context.session;
  flow.contents = allocate_contents(CurrentMemoryContext);
  SPI_connect();
  // First, as it says so when the tables are still those of an earlier version.
  flow.slot = &begin_record(operation);
  load_policy(flow.channel, flow.scenario, flow.policy);
  fill_context(flow);
}

text* name_argument(FunctionCallInfo fcinfo, int index, const char* what) {
  require_argument(fcinfo, index, what);
  text* name = PG_GETARG_TEXT_PP(index);
  if (VARSIZE_ANY_EXHDR(name) > kMaxNameLength)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("%s has %d bytes, at most %d are allowed", what,
                           static_cast<int>(VARSIZE_ANY_EXHDR(name)), kMaxNameLength)));
  return name;
}

text* subject_argument(FunctionCallInfo fcinfo, int index) {
  require_argument(fcinfo, index, "subject");
  text* subject = PG_GETARG_TEXT_PP(index);
  const int length = static_cast<int>(VARSIZE_ANY_EXHDR(subject));
  if (length == 0 || length > kMaxSubjectLength)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("subject has %d bytes, allowed are 1 to %d", length, kMaxSubjectLength)));
  for (int i = 0; i < length; ++i)
    if (static_cast<unsigned char>(VARDATA_ANY(subject)[i]) < 0x20 || VARDATA_ANY(subject)[i] == 0x7F)
      ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                      errmsg("subject has a control character at byte %d", i + 1)));
  return subject;
}

bool take_probe(Flow& flow, const struct varlena* value, probe::Header& header, probe::Contents& contents) {
  if (open_probe(value, flow.policy.institution, header, contents) != ProbeState::kOpened)
    return refuse(flow, Reason::kUnknownSource);
  const int64 now = unix_now();
  if (expired(header, now)) return refuse(flow, Reason::kExpiredProbe);
  if (&header == &flow.header && !bind_probe(flow)) return false;
  switch (use_probe(header.probe, header.captured_at, header.expires_at, now)) {
    case ProbeUse::kFirst:
      return true;
    case ProbeUse::kReplayed:
      return refuse(flow, Reason::kReplayedProbe);
    case ProbeUse::kBeforeMemory:
      break;
  }
  return refuse(flow, Reason::kExpiredProbe);
}

void ask_risk(Flow& flow, audit::Operation operation) {
  RiskCall call = risk_call(flow);
  call.operation = operation;
  assess_risk(call, flow.risk, flow.keeps_sighting);
}

bool check_denied(Flow& flow, audit::Operation operation) {
  flow.risk_checked = true;
  ask_risk(flow, operation);
  flow.risk_passed = flow.risk.action != risk::Action::kDeny;
  if (flow.risk_passed) return true;
  note_risk(flow);
  return refuse(flow, Reason::kDenied);
}

bool check_risk(Flow& flow) {
  if (flow.risk_checked) return flow.risk_passed;
  flow.risk_checked = true;
  const audit::EventRecord& record = flow.slot->record;
  ask_risk(flow, record.operation);
  note_risk(flow);
  if (flow.risk.action == risk::Action::kDeny) return refuse(flow, Reason::kDenied);
  if (flow.risk.factors > flow.factors_presented) return refuse(flow, Reason::kFactorMissing);
  // What this level asks for beyond what is asked for in any case, which enter_session() saw to.   [6.6e]
  if (const int level = risk::level(flow.risk); level > 0) {
    const auto at = [&](int risk) {
      return find_requirement(flow.policy.institution, record.operation, flow.channel, flow.scenario, risk);
    };
    const Requirement always = at(0);
    const Requirement here = at(level);
    if (here.session && !flow.has_session) return refuse(flow, Reason::kSessionMissing);
    if (here.factors > always.factors && !require_factors(flow, here.factors)) return false;
  }
  flow.risk_passed = true;
  return true;
}

bool hold_attempts(Flow& flow, const text* subject) {
  // First: a call that is denied must not stand in the way of others, not even while it is under way.
  flow.claims_subject = subject != nullptr;
  if (!check_risk(flow)) return false;
  const int32 institution = flow.policy.institution;
  const AttemptTarget source =
      attempt_target(keys::HashedKind::kSource, institution, flow.header.source.view());
  if (subject == nullptr) return hold_attempts(flow, nullptr, &source);
  const AttemptTarget name = attempt_target(keys::HashedKind::kSubject, institution,
                                            as_bytes({VARDATA_ANY(subject), VARSIZE_ANY_EXHDR(subject)}));
  return hold_attempts(flow, &name, &source);
}

bool hold_attempts(Flow& flow, const AttemptTarget* first, const AttemptTarget* second) {
  const int32 institution = flow.policy.institution;
  AttemptTarget targets[kMaxAttemptHolds];
  int count = 0;
  for (const AttemptTarget* target : {first, second})
    if (target != nullptr) targets[count++] = *target;
  if (flow.context.address != nullptr)
    targets[count++] =
        attempt_target(keys::HashedKind::kAddress, institution, as_bytes(flow.context.address));
  if (flow.context.device != nullptr)
    targets[count++] = attempt_target(keys::HashedKind::kDevice, institution, as_bytes(flow.context.device));
  if (hold_attempt(institution, targets, count, flow.policy.attempt_limits, flow.slot->attempt,
                   flow.retry_after_us))
    return true;
  return refuse(flow, Reason::kLocked);
}

void begin_scoring(Flow& flow) {
  fill_record(flow);
  mark_session(flow, true);
  // Whoever interrupts the call from here on has failed.
  if (remembered(flow)) keep_sighting(flow.context, false, *flow.slot);
  mark_scored();
}

bool check_floors(Flow& flow) {
  if (!check_risk(flow)) return false;
  if (!liveness_reached(flow.policy, *flow.contents)) return refuse(flow, Reason::kLiveness);
  if (!quality_reached(flow.policy, *flow.contents)) return refuse(flow, Reason::kQuality);
  return true;
}

bool find_flow_threshold(Flow& flow, const char* scheme, int comparisons) {
  if (find_threshold(flow.policy.institution, flow.contents->model, scheme,
                     flow.policy.target_fmr / comparisons, flow.threshold))
    return true;
  return refuse(flow, Reason::kNotCalibrated);
}

bool refuse(Flow& flow, Reason reason) {
  flow.decision = Decision::kRefuse;
  flow.reason = reason;
  return false;
}

void accept(Flow& flow) {
  flow.decision = Decision::kAccept;
  flow.reason = Reason::kOk;
}

bool decide(Flow& flow, double score) {
  if (score >= flow.threshold) {
    accept(flow);
    return true;
  }
  flow.decision = Decision::kReject;
  flow.reason = Reason::kNoMatch;
  return false;
}

void name_in_event(Flow& flow, const char* what) {
  audit::EventRecord& record = flow.slot->record;
  const bool more = record.has(audit::Field::kObject);
  record.object.set(
      psprintf("%.*s%s%s", more ? record.object.size : 0, record.object.bytes, more ? ", " : "", what));
  record.mark(audit::Field::kObject);
}

void begin_event(const Flow& flow) {
  fill_record(flow);
}

void release_flow(Flow& flow) {
  release_contents(flow.contents);
  flow.contents = nullptr;
}

void record_flow(Flow& flow) {
  flow.transaction = flow.slot->record.transaction;
  fill_record(flow);
  mark_session(flow, false);
  keep_for_repetition(flow);
  const AttemptResult result = result_of(flow);
  if (remembered(flow) && (result == AttemptResult::kSuccess || result == AttemptResult::kFailure))
    keep_sighting(flow.context, result == AttemptResult::kSuccess, *flow.slot);
  publish_record(result, flow.in_log ? Durability::kLog : Durability::kDisk);
  flow.seq = await_record();
  flow.recorded = true;
  leave_session(flow);
}

namespace {

// A label's value, kept: as long as the type is the same one, its values are.
struct EnumValue {
  Oid type;
  Datum value;
};

Datum enum_value(EnumValue& known, Oid type, const char* label) {
  if (known.type != type) {
    known.value = OidInputFunctionCall(F_ENUM_IN, const_cast<char*>(label), type, -1);
    known.type = type;
  }
  return known.value;
}

}  // namespace

Datum finish_flow(Flow& flow, FunctionCallInfo fcinfo) {
  engine().forget_keys();
  const bool opened = flow.contents->model_length != 0;
  if (!flow.repeated && !flow.recorded) record_flow(flow);
  const char* model = flow.repeated ? flow.repeated_model : opened ? flow.contents->model : nullptr;
  // The SPI connection's memory goes with it.
  const Datum model_text = model != nullptr ? SPI_datumTransfer(CStringGetTextDatum(model), false, -1) : 0;
  const Datum channel = SPI_datumTransfer(PointerGetDatum(flow.channel), false, -1);
  SPI_finish();

  // By its type: get_call_result_type() makes a copy of the description each time.
  const TupleDesc row = lookup_rowtype_tupdesc(get_func_rettype(fcinfo->flinfo->fn_oid), -1);
  static EnumValue decisions[static_cast<int>(Decision::kCount)];
  static EnumValue reasons[static_cast<int>(Reason::kCount)];
  Datum values[10] = {};
  bool nulls[10] = {};
  Assert(row->natts == lengthof(values));
  values[0] = uuid_datum(flow.transaction);
  values[1] = enum_value(decisions[static_cast<int>(flow.decision)], TupleDescAttr(row, 1)->atttypid,
                         audit::label(flow.decision));
  values[2] = enum_value(reasons[static_cast<int>(flow.reason)], TupleDescAttr(row, 2)->atttypid,
                         audit::label(flow.reason));
  values[3] = channel;
  values[4] = Float8GetDatum(flow.policy.target_fmr);
  nulls[5] = model_text == 0;
  values[5] = model_text;
  release_flow(flow);
  values[6] = Int32GetDatum(flow.policy.version);
  Interval retry_after = {};
  retry_after.time = flow.retry_after_us;
  nulls[7] = flow.reason != Reason::kLocked || flow.retry_after_us < 0;
  values[7] = IntervalPGetDatum(&retry_after);
  values[8] = Int64GetDatum(flow.seq);
  nulls[9] = !flow.has_reference;
  values[9] = uuid_datum(flow.reference);
  const HeapTuple formed = heap_form_tuple(row, values, nulls);
  ReleaseTupleDesc(row);
  return HeapTupleGetDatum(formed);
}

}  // namespace visage::pg
