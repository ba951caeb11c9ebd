// What every flow shares: checked arguments, policy, the probe, the event and the outcome.
//
// A flow is: begin → (repeats? → enter_session → take_probe → hold → floors → its own work) → finish. A flow
// that is refused, or repeated, skips to finish. All members are trivial, so an error may leave at any point;
// its record is then dropped or, once something was scored, kept as interrupted.
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
  bool face_presented;    // in the session
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
  bool in_log;           // the record need not wait for the disk: the caller's commit flushes the log past it
  int64 retry_after_us;  // when locked; -1: only an unlock helps

  bool has_session;  // the context names one
  Uuid session;
  bool session_bound;  // probes must carry its nonce
  bool session_taken;  // it is this call's until finish_flow()
  bool session_announced;
  bool document_required;  // by the session, of a registration
  uint8_t nonce[probe::kSessionNonceSize];
  int factors;           // different ones that were shown, a face that the flow compares included
  int64 captured_after;  // probes from before are refused

  bool repeated;  // the outcome is that of an earlier call; see request.h
  bool recorded;  // of this one; both are set by then
  Uuid transaction;
  int64 seq;
  const char* repeated_model;
  const char* repeated_object;  // null: it has none
};

// Where a function's common arguments stand.
struct FlowArguments {
  int channel;
  int scenario;
  int context;
};

// Checks the common arguments, connects to SPI, loads the policy and begins the record.
void begin_flow(Flow& flow, audit::Operation operation, FunctionCallInfo fcinfo, FlowArguments arguments);

// The same for a function that has no such arguments. `context` may be null.
void begin_flow(Flow& flow, audit::Operation operation, text* channel, text* scenario, Jsonb* context);

// Is the call let in? With a session: it is this institution's, not used, not expired, for this flow,
// subject, scenario, channel and device, as many factors as required were shown in it, and no other call has
// it. Without: policy asks for none. `subject` is null for flows without one.
bool enter_session(Flow& flow, const text* subject);
// For whoever finds out later that more factors are needed, as risk rules do: refuses with FACTOR_MISSING
// unless the call has shown that many. Any time between enter_session() and the flow's own work.
bool require_factors(Flow& flow, int at_least);
// How many were shown in its session, the face apart. After enter_session().
int other_factors(const Flow& flow);
// Is the opened probe of this session, or of none when the call has none, and captured after the factors?
bool bind_probe(Flow& flow);
// The record's part of a session, and its end. For finish_flow() and begin_scoring().
void mark_session(Flow& flow, bool scored);
void leave_session(Flow& flow);

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
// What the rules ask of a call of `operation`, into flow.risk; refuses nothing. For who prepares one.
void ask_risk(Flow& flow, audit::Operation operation);
// Of these only whether the call is denied, for who prepares a call of `operation`: opens or claims its
// session, shows a factor in it. What fired goes into the record when it is. check_risk() then asks no more.
bool check_denied(Flow& flow, audit::Operation operation);
// Holds an attempt against the subject (null: none is claimed), the capture source, and the address and
// device that the context names. False after refusing as LOCKED.
bool hold_attempts(Flow& flow, const text* subject);
// The same against other counters in the place of subject and source; null: none.
bool hold_attempts(Flow& flow, const AttemptTarget* first, const AttemptTarget* second);
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

// Names in the event what the flow rests on, after what it names already.
void name_in_event(Flow& flow, const char* what);
// Puts all that is known so far into the record.
void begin_event(const Flow& flow);
// Frees what does not wait for the end of the caller's memory.
void release_flow(Flow& flow);
// Records the event and waits until it is durable. For flows that go on after their verdict; the slot is then
// free for another record.
void record_flow(Flow& flow);
// Does so, unless that was done or the call is repeated, ends SPI and returns the visage.outcome row.
Datum finish_flow(Flow& flow, FunctionCallInfo fcinfo);

}  // namespace visage::pg
