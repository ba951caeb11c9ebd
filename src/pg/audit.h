// Events: one record for every call of a flow and for every change, durable before anyone learns of it.
//
// A flow begins its record before it scores anything, fills it, publishes it to the audit writer and waits
// until the writer has committed it. The record is out of the caller's hands: a ROLLBACK, a cancel or an
// error after mark_scored() takes the verdict back, not the record.
#pragma once

#include "pg/audit_ring.h"

namespace visage::pg {

// Hooks into the end of transactions; once a process, with the library.
void audit_init();

// Makes this process's slot ready and gives it a transaction id, the caller's role and the operation. Raises
// when nothing could be recorded now: the writer is not running, this is not its database, the server is a
// standby.
Slot& begin_record(audit::Operation operation);

// Names the database transaction whose end decides about what was done, when that has changed anything, this
// call included.
void set_transaction(audit::EventRecord& record);

// From here on the record is published whatever happens: on an error as INTERRUPTED, which counts as a
// failure.
void mark_scored();

// Forgets the record: the call was made before, and its record is there.
void drop_record();

// What a caller waits for: the disk, or the log in memory, for a change whose own commit flushes the log past
// the record, so that nobody learns of one before the other is durable.
enum class Durability { kDisk, kLog };

// Hands the record over with what became of its attempt. Cannot fail.
void publish_record(AttemptResult result, Durability durability = Durability::kDisk);

// Waits until no record of this operation and business id waits for the writer, as one of a caller that did
// not wait may.
void await_unwritten(audit::Operation operation, int32 institution, std::string_view business_id);

// Waits until the published record is durable; returns its number. Raises when it was not recorded, or not
// within visage.audit_timeout, or on a cancel: there is no verdict then, though there may be a record.
int64 await_record();

}  // namespace visage::pg
