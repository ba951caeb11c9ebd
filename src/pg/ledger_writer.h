// Extending the ledger: what the audit writer does inside its transaction.
#pragma once

#include "pg/audit_ring.h"
#include "pg/ledger.h"

namespace visage::pg {

inline constexpr int kMaxBatch = 512;

// The writer's view of the ledger between batches. A failed batch leaves it stale: load it again.
struct LedgerWriter {
  bool loaded;
  Oid event;  // visage.event's oid: another one means that the extension was made anew
  bool open;
  Tree tree;
  TimestampTz last_at;
  audit::CompactRange range;
  bool has_head;
  uint8_t head[audit::kHeadSize];
  EnumLabels labels;
};

// Is the extension of this version here? For use in a transaction.
bool ledger_present(Oid& event);

// Reads the newest head and the tree's right edge, and checks that one is the other's and its signature
// holds. Raises when not: extending a ledger that was tampered with would bury the fault.
void load_ledger(LedgerWriter& ledger);

// One event to be written: the record of a slot, or one of the writer's own.
struct NewEvent {
  const audit::EventRecord* record;
  Slot* slot;  // null for the writer's own
  int64 seq;
  TimestampTz at;
};

// Numbers the events, hashes them, signs the new head and inserts the rows; opens the ledger when it is not.
// For use inside the writer's transaction, with a snapshot and SPI.
void extend_ledger(LedgerWriter& ledger, NewEvent* events, int count);

}  // namespace visage::pg
