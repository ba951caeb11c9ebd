// Counters of failed attempts as rows of visage.attempt.
#pragma once

#include "pg/attempt.h"

extern "C" {
#include "utils/rel.h"
}

namespace visage::pg {

struct AttemptRow {
  int32 institution;
  AttemptTarget target;
  attempt::Failures failures;
  int64 locked_until;
  const Uuid* subject;  // null when not known: the row then keeps the one it has
};

// What is stored of these counters now, whatever the transaction's isolation; zeros where nothing is. By the
// index and in one scan: a call that names address and device asks for three that nobody ever failed in.
void read_attempt_rows(int32 institution, const AttemptTarget* const* targets, int count,
                       attempt::Failures* out);

// The table while rows are put into it.
struct AttemptRows {
  Relation table;
  const Oid* kinds;
  struct EState* executor;
  struct ResultRelInfo* target;
  struct TupleTableSlot* slot;
};

// In the audit writer's transaction: begin, put any number, end. A put inserts the row or replaces it; a row
// that somebody deletes meanwhile is inserted again.
void begin_attempt_rows(AttemptRows& rows);
void put_attempt_row(AttemptRows& rows, const AttemptRow& row, TimestampTz now);
void end_attempt_rows(AttemptRows& rows);

}  // namespace visage::pg
