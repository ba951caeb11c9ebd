// What every flow shares: checked arguments, policy, the probe, the event and the outcome.
//
// A flow is: begin → (take_probe → floors → its own work) → finish. A flow that is refused skips to finish.
// All members are trivial, so an error may leave at any point.
#pragma once

#include "core/probe/probe.h"
#include "pg/pg.h"
#include "pg/policy.h"

extern "C" {
#include "portability/instr_time.h"
}

namespace visage::pg {

// Scheme of new references, as visage.calibration names it.
inline constexpr char kReferenceScheme[] = "RFR-1/1024";

enum class Decision { kAccept, kReject, kRefuse };

// Each is a label of enum visage.reason, in sql/install/50_audit.sql, which says what it means.
enum class Reason {
  kOk,
  kNoMatch,
  kExpiredProbe,
  kReplayedProbe,
  kUnknownSource,
  kLiveness,
  kQuality,
  kUnknownSubject,
  kSubjectExists,
  kUnknownReference,
  kLastReference,
  kReferenceLimit,
  kModelMismatch,
  kNotCalibrated,
};

struct Flow {
  const char* operation;
  instr_time began;
  Uuid transaction;
  text* channel;
  text* scenario;
  char* business_id;
  Policy policy;

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
};

// Where a function's common arguments stand.
struct FlowArguments {
  int channel;
  int scenario;
  int context;
};

// Checks the common arguments, connects to SPI and loads the policy.
void begin_flow(Flow& flow, const char* operation, FunctionCallInfo fcinfo, FlowArguments arguments);

// Checks a subject's external id: 1 to 256 bytes, no control characters.
text* subject_argument(FunctionCallInfo fcinfo, int index);

// Both return false after setting the refusal. take_probe opens the probe, checks its times and consumes it.
bool take_probe(Flow& flow, const struct varlena* value, probe::Header& header, probe::Contents& contents);
// Liveness and quality floors, then the threshold for `scheme` at the channel's target.
bool check_floors(Flow& flow);
// With several comparisons in one attempt each must keep its share of the target, or the attempt would not:
// an impostor who may try k references passes k times as often.
bool find_flow_threshold(Flow& flow, const char* scheme, int comparisons = 1);

bool refuse(Flow& flow, Reason reason);  // always false
void accept(Flow& flow);
// Accepts a score that reaches the flow's threshold, rejects any other, NaN included.
bool decide(Flow& flow, double score);

// Records the event, ends SPI and returns the visage.outcome row.
Datum finish_flow(Flow& flow, FunctionCallInfo fcinfo);

}  // namespace visage::pg
