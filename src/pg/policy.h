// Policy as the tables state it: who acts, and what a channel asks for.
#pragma once

#include "core/audit/event.h"
#include "core/probe/capture_record.h"
#include "pg/attempt.h"
#include "pg/consent.h"
#include "pg/duplicate.h"
#include "pg/identify.h"
#include "pg/pg.h"
#include "pg/reference_life.h"

namespace visage::pg {

struct Policy {
  int32 institution;
  int32 version;
  double target_fmr;
  bool has_liveness_floor;
  float liveness_floor;
  int floor_count;
  probe::QualityFloor floors[probe::kMaxFloors];
  bool session_required;
  bool authority_needed;  // by the scenario, for a registration
  uint8 factors;          // that the scenario takes in any case, beside the face
  bool keep_details;      // address and device in clear, for a while
  bool capture_values;    // events hold the values of quality and liveness
  AttemptLimits attempt_limits;
  ConsentRule consent;
  DuplicateRule duplicates;
  IdentifyRule identification;
  ReferenceRule references;
};

// Institution that the session acts for, by visage.institution and the caller's grants; for use inside SPI.
// Raises insufficient_privilege when there is no such grant, whether or not the institution exists.
int32 acting_institution();

// Loads what applies to a flow; for use inside SPI. Raises undefined_object for an unknown channel or
// scenario.
void load_policy(const text* channel, const text* scenario, Policy& out);

// Threshold for a model and scheme at a target FMR: that of the calibrated row with the largest FMR that does
// not exceed the target, so a threshold is never laxer than asked. False when calibration supports none.
bool find_threshold(int32 institution, const char* model, const char* scheme, double target_fmr,
                    double& threshold);

// Does the probe reach the channel's floors? A measure that the floor names and the probe lacks does not.
bool liveness_reached(const Policy& policy, const probe::Contents& contents);
bool quality_reached(const Policy& policy, const probe::Contents& contents);
// What events keep of a probe: which of these floors it reaches, and its values where policy has them kept.
void record_capture(const Policy& policy, const probe::Contents& contents, audit::EventRecord& out);

}  // namespace visage::pg
