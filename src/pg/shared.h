// What lives in PostgreSQL's shared memory: the locks, the replay memory of probes, and the counters of
// attempt.h.
#pragma once

#include "core/base/bytes.h"
#include "pg/pg.h"

namespace visage::pg {

enum class SharedLock { kKeys, kReplay, kAttempts, kCount };

// Hooks the reservation and the start-up; call while the server starts.
void shared_init();
LWLock* shared_lock(SharedLock lock);

enum class ProbeUse { kFirst, kReplayed, kBeforeMemory };

// Remembers that a probe was used, until `forget_at` (microseconds since 1970), whatever the transaction
// does. kBeforeMemory: captured before this memory began, so a former use could have been forgotten. Raises
// when the memory is full of probes that have not expired.
ProbeUse use_probe(const Uuid& probe, int64 captured_at, int64 forget_at, int64 now);

}  // namespace visage::pg
