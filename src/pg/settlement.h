// What became of the transactions that events speak of.
//
// A call that changes data returns inside its caller's transaction, so its event cannot know whether the
// change will be committed. The event carries the transaction's id, and when that has ended the audit writer
// appends a settle event that says how: history never guesses.
#pragma once

#include "core/audit/event.h"
#include "pg/pg.h"

namespace visage::pg {

// The audit writer's list of transactions that have not ended. All for the writer's process alone.

// Reads the list anew from visage.event, with `foreign` when these transactions are another server's and
// cannot be asked about; for use inside SPI.
void load_unsettled(bool foreign);
// Takes notice of a committed event that carries a transaction id.
void expect_settlement(const audit::EventRecord& record, int64 seq);
bool settlements_expected();
// Fills settle events for those that have ended, at most `limit`; forget_settled() drops them once those are
// committed.
int make_settlements(audit::EventRecord* out, int limit);
void forget_settled();

}  // namespace visage::pg
