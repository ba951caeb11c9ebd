#include "pg/risk.h"

#include "pg/boundary.h"
#include "pg/clock.h"
#include "pg/keys.h"
#include "pg/policy.h"
#include "pg/risk_rules.h"
#include "pg/settings.h"
#include "pg/sighting.h"
#include "pg/subject.h"

namespace visage::pg {
namespace {

using risk::Known;

Known known(bool given) {
  return given ? Known::kGiven : Known::kMissing;
}

void copy_hash(const uint8_t* from, Known& has, risk::Hash& out) {
  has = known(from != nullptr);
  if (from != nullptr) memcpy(out.bytes, from, sizeof out.bytes);
}

void fill_inputs(const RiskCall& call, TimestampTz now, risk::Inputs& out) {
  const Context& context = *call.context;
  out = {};
  out.now = to_unix(now);
  out.operation = audit::label(call.operation);
  out.channel = call.channel;
  out.scenario = call.scenario;
  out.scenario_factors = call.scenario_factors;
  out.has_address = known(context.address != nullptr);
  out.address = context.parsed_address;
  copy_hash(call.address_hash, out.has_address_hash, out.address_hash);
  copy_hash(call.device_hash, out.has_device, out.device);
  out.has_country = known(context.country != nullptr);
  if (context.country != nullptr) out.country = context.country;
  out.has_place = known(context.place != nullptr);
  if (context.place != nullptr) out.place = context.place;
  out.has_mac = known(context.has_mac);
  out.mac = context.mac;
  out.has_position = known(context.has_position);
  out.position = context.position;
  out.has_zone = known(context.time_zone != nullptr);
}

risk::Past past_of(const RiskCall& call, const LoadedRules& rules, TimestampTz now) {
  if (!call.claims_subject) return {nullptr, 0};
  auto* sightings = static_cast<risk::Sighting*>(palloc(sizeof(risk::Sighting) * kMaxSightings));
  // Nobody's: as long a way through the index as for somebody's.
  Uuid subject = {};
  if (call.subject != nullptr)
    subject = *call.subject;
  else
    raise_unless_ok(guarded([&] { return engine().random_uuid(subject); }), "cannot make an identifier");
  return read_past(subject, now - rules.longest_period, DT_NOEND, sightings);
}

}  // namespace

void assess_risk(const RiskCall& call, risk::Verdict& out, bool& keeps_sighting) {
  const LoadedRules& rules = load_rules(call.institution);
  keeps_sighting = rules.looks_back;
  const TimestampTz now = GetCurrentTimestamp();
  risk::Inputs inputs;
  fill_inputs(call, now, inputs);
  auto* local =
      static_cast<risk::LocalTime*>(palloc(sizeof(risk::LocalTime) * static_cast<size_t>(rules.zone_count)));
  local_times(rules, now, call.context->time_zone, local);
  inputs.local = {local, static_cast<size_t>(rules.zone_count)};
  risk::evaluate(rules.set, inputs, nullptr, out);
  if (!out.needs_past) return;
  const risk::Past past = past_of(call, rules, now);
  risk::evaluate(rules.set, inputs, &past, out);
}

// assess(subject, channel, scenario, context, operation) → level, action, factors, face   [8.1.4c, 6.6e]
// The same rules as the flows ask, for the call that is to come; subject may be null.
VISAGE_FUNCTION(visage_assess) {
  text* subject = PG_ARGISNULL(0) ? nullptr : subject_argument(fcinfo, 0);
  text* channel = name_argument(fcinfo, 1, "channel");
  text* scenario = name_argument(fcinfo, 2, "scenario");
  require_argument(fcinfo, 3, "context");
  require_argument(fcinfo, 4, "operation");
  key_ring();
  Context context;
  read_context(PG_GETARG_JSONB_P(3), context);
  RiskCall call = {};
  const char* operation = DatumGetCString(DirectFunctionCall1(enum_out, PG_GETARG_DATUM(4)));
  if (!audit::find_operation(operation, call.operation) || call.operation > audit::Operation::kCancel)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("\"%s\" is not a flow", operation)));
  TupleDesc row;
  if (get_call_result_type(fcinfo, nullptr, &row) != TYPEFUNC_COMPOSITE)
    elog(ERROR, "return type must be a row type");
  SPI_connect();
  Policy policy;
  load_policy(channel, scenario, policy);
  call.institution = policy.institution;
  call.channel = {VARDATA_ANY(channel), VARSIZE_ANY_EXHDR(channel)};
  call.scenario = {VARDATA_ANY(scenario), VARSIZE_ANY_EXHDR(scenario)};
  call.scenario_factors = policy.factors;
  call.context = &context;
  AttemptTarget address;
  AttemptTarget device;
  if (context.address != nullptr) {
    address = attempt_target(keys::HashedKind::kAddress, policy.institution, as_bytes(context.address));
    call.address_hash = address.key;
  }
  if (context.device != nullptr) {
    device = attempt_target(keys::HashedKind::kDevice, policy.institution, as_bytes(context.device));
    call.device_hash = device.key;
  }
  Uuid surrogate;
  call.claims_subject = subject != nullptr;
  if (subject != nullptr && find_registered(policy.institution, subject, surrogate))
    call.subject = &surrogate;
  risk::Verdict verdict;
  bool keeps_sighting;
  assess_risk(call, verdict, keeps_sighting);
  SPI_finish();

  Datum values[] = {Int32GetDatum(risk::level(verdict)),
                    OidInputFunctionCall(F_ENUM_IN, const_cast<char*>(risk::label(verdict.action)),
                                         TupleDescAttr(row, 1)->atttypid, -1),
                    Int32GetDatum(verdict.factors), BoolGetDatum(verdict.face)};
  bool nulls[lengthof(values)] = {};
  return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row), values, nulls));
}

}  // namespace visage::pg
