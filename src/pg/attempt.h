// Attempt limits: how many wrong tries a subject, a capture source, an address and a device have.
// [6.6h, 8.1.4]
//
// Reserve, then settle. A flow holds one attempt in every counter that it touches before anything is scored,
// so that parallel callers together get no more scored attempts than the limit. What became of the attempt is
// settled by the audit writer with the commit that stores the event: counter and event are durable together,
// whatever the caller's transaction does. Counters live in shared memory, keyed by a keyed hash, and are
// loaded from visage.attempt on first touch.
#pragma once

#include "core/attempt/attempt.h"
#include "core/base/bytes.h"
#include "core/keys/ledger_key.h"
#include "pg/pg.h"

namespace visage::pg {

inline constexpr int kMaxAttemptHolds = 4;

// The counters that one attempt is held in. Plain data: it travels to the writer with the event. A held
// counter stays in shared memory until the hold is settled or released.
struct Attempt {
  uint32_t count;
  uint32_t places[kMaxAttemptHolds];
};

enum class AttemptResult : uint8_t {
  kRelease,  // nothing was scored
  kSuccess,
  kFailure,
};

struct AttemptTarget {
  keys::HashedKind kind;
  uint8_t key[keys::kKeyedHashSize];
};

// Reservation of shared memory and its start-up; called from shared.cpp's hooks.
Size attempt_shared_size();
void attempt_shared_startup();

// Reads the institution's limits; for use inside SPI.
void load_attempt_limits(int32 institution, bool with_liveness, attempt::Limits (&out)[kMaxAttemptHolds]);

// Holds an attempt in each target's counter, or in none. False when one of them allows no attempt now;
// `retry_after_us` is then how long, -1 when only an unlock helps. For use inside SPI: a counter that is not
// in memory is read from its table, under a snapshot of now whatever the transaction's isolation.
bool hold_attempt(int32 institution, const AttemptTarget* targets, int count, const attempt::Limits* limits,
                  Attempt& out, int64& retry_after_us);

// Settles in memory at once, without a record: for an attempt that was never scored (kRelease), or one whose
// event could not be written (kFailure; saved with the writer's next commit). May be called while a
// transaction aborts.
void settle_attempt(const Attempt& attempt, AttemptResult result);

// The audit writer's part, in this order for each batch. `save` upserts the settled state of every counter
// inside the writer's transaction (and those that settle_attempt left unsaved); `publish` makes it the state
// in memory after the commit; `discard` is for a batch that failed: its attempts become failures in memory.
struct AttemptSettlement {
  Attempt attempt;
  AttemptResult result;
  bool has_subject;
  Uuid subject;  // so that visage.attempts can name it
};
void save_attempts(const AttemptSettlement* settlements, int count, TimestampTz now);
void publish_attempts();
void discard_attempts();

// Sets a counter back, as visage.unlock does; the writer saves it with the unlock's event. True when there
// was one.
bool unlock_counter(int32 institution, const AttemptTarget& target);

}  // namespace visage::pg
