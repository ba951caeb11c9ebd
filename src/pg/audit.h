// Events: one record for every call of a flow, whatever it decided.
//
// record_event() is the only way in. It writes in the caller's transaction for now; the audit writer takes
// its place without a change to the callers.
#pragma once

#include "core/base/bytes.h"
#include "pg/pg.h"

namespace visage::pg {

// Names as enum visage.operation, visage.decision and visage.reason have them.
struct Event {
  Uuid transaction;
  const char* operation;
  int32 institution;
  const Uuid* subject;  // surrogate; null when unknown
  const text* channel;
  const text* scenario;
  const char* decision;
  const char* reason;
  double target_fmr;
  const char* model;  // null when no probe was opened
  int32 policy_version;
  const Uuid* source;
  const Uuid* probe;
  const Uuid* reference;
  const char* business_id;  // the caller's own id, context->>'biz_id'
  int64 elapsed_us;
};

// Returns the event's number; for use inside SPI.
int64 record_event(const Event& event);

}  // namespace visage::pg
