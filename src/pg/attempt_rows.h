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

// What is stored of a counter now, whatever the transaction's isolation; zeros where nothing is. By the
// index: a call that names address and device may read three, and three statements took as long as the
// comparison.
attempt::Failures read_attempt_row(int32 institution, const AttemptTarget& target);

// The table while rows are put into it.
struct AttemptRows {
  Relation table;
  Oid kinds[kMaxAttemptHolds];
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
