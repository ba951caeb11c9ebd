// What lives in PostgreSQL's shared memory: the locks, the replay memory of probes, and the counters of
// attempt.h.
#pragma once

#include "core/base/bytes.h"
#include "pg/pg.h"

namespace visage::pg {

enum class SharedLock { kKeys, kReplay, kAudit, kAttempts, kKeeper, kGallery, kGalleryIndex, kCount };

// Hooks the reservation and the start-up; call while the server starts.
void shared_init();
LWLock* shared_lock(SharedLock lock);

// The memory begins empty, and the audit writer fills it from the ledger before any flow runs: a probe that
// was used stays used over restarts, crashes and promotions.
enum class ProbeUse { kFirst, kReplayed, kBeforeMemory };

// Remembers that a probe was used, until `forget_at` (microseconds since 1970), whatever the transaction
// does. kBeforeMemory: captured before what is remembered, so a former use could have been forgotten. Raises
// when the memory is full of probes that have not expired.
ProbeUse use_probe(const Uuid& probe, int64 captured_at, int64 expires_at, int64 now);

// Takes a session for one call, until `expires_at`, whatever the transaction does; false when it is taken.
// The memory begins empty: whether an earlier call used it up is in the ledger. Raises when it is full.
bool take_session(const Uuid& session, int64 expires_at, int64 now);
// Gives it back: nothing was compared or changed.
void give_session_back(const Uuid& session);

// Reads the ledger's probes that have not expired; for the audit writer, inside SPI.
void load_replay_memory();

}  // namespace visage::pg
