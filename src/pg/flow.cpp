#include "pg/flow.h"

#include "pg/audit.h"
#include "pg/boundary.h"
#include "pg/clock.h"
#include "pg/keys.h"
#include "pg/probe.h"
#include "pg/secret_memory.h"
#include "pg/settings.h"
#include "pg/shared.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

constexpr int kMaxSubjectLength = 256;
constexpr int kMaxNameLength = 63;
constexpr int kMaxBusinessIdLength = 128;
constexpr int kMaxContextSize = 16384;

const char* label(Decision decision) {
  switch (decision) {
    case Decision::kAccept:
      return "accept";
    case Decision::kReject:
      return "reject";
    case Decision::kRefuse:
      break;
  }
  return "refuse";
}

const char* label(Reason reason) {
  switch (reason) {
    case Reason::kOk:
      return "OK";
    case Reason::kNoMatch:
      return "NO_MATCH";
    case Reason::kExpiredProbe:
      return "EXPIRED_PROBE";
    case Reason::kReplayedProbe:
      return "REPLAYED_PROBE";
    case Reason::kUnknownSource:
      return "UNKNOWN_SOURCE";
    case Reason::kLiveness:
      return "LIVENESS";
    case Reason::kQuality:
      return "QUALITY";
    case Reason::kUnknownSubject:
      return "UNKNOWN_SUBJECT";
    case Reason::kSubjectExists:
      return "SUBJECT_EXISTS";
    case Reason::kUnknownReference:
      return "UNKNOWN_REFERENCE";
    case Reason::kLastReference:
      return "LAST_REFERENCE";
    case Reason::kReferenceLimit:
      return "REFERENCE_LIMIT";
    case Reason::kModelMismatch:
      return "MODEL_MISMATCH";
    case Reason::kNotCalibrated:
      break;
  }
  return "NOT_CALIBRATED";
}

// The caller's own id for this call, if the context has one.
char* business_id_of(Jsonb* context) {
  if (VARSIZE(context) > kMaxContextSize)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("context is longer than %d bytes", kMaxContextSize)));
  if (!JB_ROOT_IS_OBJECT(context))
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("context must be a JSON object"),
                    errhint("For example: {\"biz_id\": \"order-4711\"}")));
  JsonbValue key = {};
  key.type = jbvString;
  key.val.string.val = const_cast<char*>("biz_id");
  key.val.string.len = 6;
  const JsonbValue* value = findJsonbValueFromContainer(&context->root, JB_FOBJECT, &key);
  if (value == nullptr || value->type == jbvNull) return nullptr;
  if (value->type != jbvString || value->val.string.len > kMaxBusinessIdLength)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("context \"biz_id\" must be a string of at most %d bytes", kMaxBusinessIdLength)));
  return pnstrdup(value->val.string.val, static_cast<Size>(value->val.string.len));
}

// A channel or scenario: an error about an unknown one quotes it, so its length is checked first.
text* name_argument(FunctionCallInfo fcinfo, int index, const char* what) {
  require_argument(fcinfo, index, what);
  text* name = PG_GETARG_TEXT_PP(index);
  if (VARSIZE_ANY_EXHDR(name) > kMaxNameLength)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("%s has %d bytes, at most %d are allowed", what,
                           static_cast<int>(VARSIZE_ANY_EXHDR(name)), kMaxNameLength)));
  return name;
}

// Expired by its own word, by ours, or dated ahead of us by more than clocks may differ.
bool expired(const probe::Header& header, int64 now) {
  const int64 skew = static_cast<int64>(settings::clock_skew) * USECS_PER_SEC;
  const int64 max_age = static_cast<int64>(settings::probe_max_age) * USECS_PER_SEC;
  return now >= header.expires_at || now - header.captured_at >= max_age || header.captured_at - now > skew;
}

}  // namespace

void begin_flow(Flow& flow, const char* operation, FunctionCallInfo fcinfo, FlowArguments arguments) {
  memset(&flow, 0, sizeof flow);
  flow.operation = operation;
  flow.decision = Decision::kRefuse;
  INSTR_TIME_SET_CURRENT(flow.began);
  // No verdict without a record, and none can be written here: fail before the probe is used or scored.
  PreventCommandIfReadOnly(psprintf("visage.%s()", operation));
  flow.channel = name_argument(fcinfo, arguments.channel, "channel");
  flow.scenario = name_argument(fcinfo, arguments.scenario, "scenario");
  require_argument(fcinfo, arguments.context, "context");
  key_ring();
  flow.business_id = business_id_of(PG_GETARG_JSONB_P(arguments.context));
  flow.contents = allocate_contents(CurrentMemoryContext);
  raise_unless_ok(guarded([&] { return engine().random_uuid(flow.transaction); }),
                  "cannot make an identifier");
  SPI_connect();
  load_policy(flow.channel, flow.scenario, flow.policy);
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
  const int64 max_age = static_cast<int64>(settings::probe_max_age + settings::clock_skew) * USECS_PER_SEC;
  switch (use_probe(header.probe, header.captured_at, Min(header.expires_at, header.captured_at + max_age),
                    now)) {
    case ProbeUse::kFirst:
      return true;
    case ProbeUse::kReplayed:
      return refuse(flow, Reason::kReplayedProbe);
    case ProbeUse::kBeforeMemory:
      break;
  }
  return refuse(flow, Reason::kExpiredProbe);
}

bool check_floors(Flow& flow) {
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

Datum finish_flow(Flow& flow, FunctionCallInfo fcinfo) {
  engine().forget_keys();
  const bool opened = flow.contents->model_length != 0;
  instr_time elapsed;
  INSTR_TIME_SET_CURRENT(elapsed);
  INSTR_TIME_SUBTRACT(elapsed, flow.began);
  Event event = {};
  event.transaction = flow.transaction;
  event.operation = flow.operation;
  event.institution = flow.policy.institution;
  event.subject = flow.has_subject ? &flow.subject : nullptr;
  event.channel = flow.channel;
  event.scenario = flow.scenario;
  event.decision = label(flow.decision);
  event.reason = label(flow.reason);
  event.target_fmr = flow.policy.target_fmr;
  event.model = opened ? flow.contents->model : nullptr;
  event.policy_version = flow.policy.version;
  event.source = flow.has_probe ? &flow.header.source : nullptr;
  event.probe = flow.has_probe ? &flow.header.probe : nullptr;
  event.reference = flow.has_reference ? &flow.reference : nullptr;
  event.business_id = flow.business_id;
  event.elapsed_us = static_cast<int64>(INSTR_TIME_GET_MICROSEC(elapsed));
  const int64 seq = record_event(event);
  SPI_finish();

  TupleDesc row;
  if (get_call_result_type(fcinfo, nullptr, &row) != TYPEFUNC_COMPOSITE)
    elog(ERROR, "return type must be a row type");
  Datum values[10] = {};
  bool nulls[10] = {};
  Assert(row->natts == lengthof(values));
  values[0] = uuid_datum(flow.transaction);
  values[1] =
      OidInputFunctionCall(F_ENUM_IN, const_cast<char*>(event.decision), TupleDescAttr(row, 1)->atttypid, -1);
  values[2] =
      OidInputFunctionCall(F_ENUM_IN, const_cast<char*>(event.reason), TupleDescAttr(row, 2)->atttypid, -1);
  values[3] = PointerGetDatum(flow.channel);
  values[4] = Float8GetDatum(flow.policy.target_fmr);
  nulls[5] = !opened;
  if (opened) values[5] = CStringGetTextDatum(flow.contents->model);
  release_contents(flow.contents);
  flow.contents = nullptr;
  values[6] = Int32GetDatum(flow.policy.version);
  nulls[7] = true;  // retry_after: with the attempt limits
  values[8] = Int64GetDatum(seq);
  nulls[9] = !flow.has_reference;
  values[9] = uuid_datum(flow.reference);
  return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row), values, nulls));
}

}  // namespace visage::pg
