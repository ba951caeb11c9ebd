// What every flow shares: checked arguments, policy, the probe, the event and the outcome.
//
// A flow is: begin → (take_probe → hold → floors → its own work) → finish. A flow that is refused skips to
// finish. All members are trivial, so an error may leave at any point; its record is then dropped or, once
// something was scored, kept as interrupted.
#pragma once

#include "core/audit/event.h"
#include "core/probe/probe.h"
#include "pg/audit.h"
#include "pg/context.h"
#include "pg/pg.h"
#include "pg/policy.h"
#include "pg/risk.h"

extern "C" {
#include "portability/instr_time.h"
}

namespace visage::pg {

// Scheme of new references, as visage.calibration names it.
inline constexpr char kReferenceScheme[] = "RFR-1/1024";

using audit::Decision;
using audit::Reason;

struct Flow {
  instr_time began;
  Slot* slot;  // its record in the making
  text* channel;
  text* scenario;
  Context context;
  Policy policy;

  bool claims_subject;    // the caller names one, whether or not anybody is registered
  int factors_presented;  // beside the face; those of a session
  bool risk_checked;
  bool risk_passed;
  bool keeps_sighting;  // some rule will want to know of this call
  risk::Verdict risk;

  bool has_probe;
  probe::Header header;
  probe::Contents* contents;
  double threshold;

  Decision decision;
  Reason reason;
  bool has_subject;
  Uuid subject;
  bool has_reference;
  Uuid reference;
  int64 retry_after_us;  // when locked; -1: only an unlock helps
};

// Where a function's common arguments stand.
struct FlowArguments {
  int channel;
  int scenario;
  int context;
};

// Checks the common arguments, connects to SPI, loads the policy and begins the record.
void begin_flow(Flow& flow, audit::Operation operation, FunctionCallInfo fcinfo, FlowArguments arguments);

// Checks a channel's or scenario's name: an error about an unknown one quotes it, so its length comes first.
text* name_argument(FunctionCallInfo fcinfo, int index, const char* what);

// Checks a subject's external id: 1 to 256 bytes, no control characters.
text* subject_argument(FunctionCallInfo fcinfo, int index);

// Both return false after setting the refusal. take_probe opens the probe, checks its times and consumes it.
bool take_probe(Flow& flow, const struct varlena* value, probe::Header& header, probe::Contents& contents);
// Asks deny-lists and risk rules, once a flow, and puts what fired into the record. False after refusing as
// DENIED, or as FACTOR_MISSING when more factors are asked for than were presented. The flows that compare
// ask by way of hold_attempts and check_floors, before anything is held or compared.
bool check_risk(Flow& flow);
// Holds an attempt against the subject (null: none is claimed), the capture source, and the address and
// device that the context names. False after refusing as LOCKED.
bool hold_attempts(Flow& flow, const text* subject);
// What follows scores: from here on the attempt is recorded whatever happens.
void begin_scoring(Flow& flow);
// Liveness and quality floors, then the threshold for `scheme` at the channel's target.
bool check_floors(Flow& flow);
// With several comparisons in one attempt each must keep its share of the target, or the attempt would not:
// an impostor who may try k references passes k times as often.
bool find_flow_threshold(Flow& flow, const char* scheme, int comparisons = 1);

bool refuse(Flow& flow, Reason reason);  // always false
void accept(Flow& flow);
// Accepts a score that reaches the flow's threshold, rejects any other, NaN included.
bool decide(Flow& flow, double score);

// Records the event, waits until it is durable, ends SPI and returns the visage.outcome row.
Datum finish_flow(Flow& flow, FunctionCallInfo fcinfo);

}  // namespace visage::pg
