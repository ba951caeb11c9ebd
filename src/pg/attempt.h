// Attempt limits: how many wrong tries a subject, a capture source, an address and a device have. [8.2.5d]
//
// Reserve, then settle. A flow holds one attempt in every counter that it touches before anything is scored,
// so that parallel callers together get no more scored attempts than the limit. What became of the attempt is
// settled by the audit writer with the commit that stores the event: counter and event are durable together,
// whatever the caller's transaction does. Counters live in shared memory, keyed by a keyed hash, and are
// loaded from visage.attempt on first touch.
#pragma once

#include "core/attempt/attempt.h"
#include "core/base/bytes.h"
#include "core/factor/factor.h"
#include "core/keys/ledger_key.h"
#include "pg/pg.h"

namespace visage::pg {

// Kinds of counters. No attempt is held in more than one of each; an unlock is of a subject and its factors.
inline constexpr keys::HashedKind kCounted[] = {keys::HashedKind::kSubject, keys::HashedKind::kSource,
                                                keys::HashedKind::kAddress, keys::HashedKind::kDevice,
                                                keys::HashedKind::kFactor};
inline constexpr int kAttemptKinds = static_cast<int>(lengthof(kCounted));
// Its place among them.
inline int attempt_kind(keys::HashedKind kind) {
  return kind == keys::HashedKind::kFactor ? kAttemptKinds - 1 : static_cast<int>(kind) - 1;
}
inline constexpr int kMaxAttemptHolds = kAttemptKinds;

// The counters that one attempt is held in. Plain data: it travels to the writer with the event. A held
// counter stays in shared memory until the hold is settled or released.
struct Attempt {
  uint32_t count;
  uint32_t places[kMaxAttemptHolds];
};

using AttemptResult = attempt::Result;

struct AttemptTarget {
  keys::HashedKind kind;
  uint8_t key[keys::kKeyedHashSize];
};

// As enum visage.attempt_kind has it.
const char* attempt_kind_label(keys::HashedKind kind);

// Reservation of shared memory and its start-up; called from shared.cpp's hooks.
Size attempt_shared_size();
void attempt_shared_startup();

// One for each kind of counter, in the order of kCounted.
using AttemptLimits = attempt::Limits[kAttemptKinds];

// The institution's limits as they are now, whatever the transaction's isolation; for use inside SPI.
void load_attempt_limits(int32 institution, bool with_liveness, AttemptLimits& out);

// Holds an attempt in each target's counter, or in none; a kind without limits has no counter. False when one
// of them allows no attempt now; `retry_after_us` is then how long, -1 when only an unlock helps. For use
// inside SPI: a counter that is not in memory is read from its table, under a snapshot of now whatever the
// transaction's isolation. After it returned true nothing may raise before the attempt is handed on or
// settled.
bool hold_attempt(int32 institution, const AttemptTarget* targets, int count, const AttemptLimits& limits,
                  Attempt& out, int64& retry_after_us);

// Settles in memory at once: for an attempt that was never scored (kRelease), or one whose event could not be
// written (kFailure), by the writer, which then also says whose it was if it knows. What changes is saved
// with the writer's next commit. May be called while a transaction aborts.
void settle_attempt(const Attempt& attempt, AttemptResult result, const Uuid* subject);

// The audit writer's part, in this order for each batch. `save` upserts what the settlements and
// settle_attempt changed, inside the writer's transaction; `publish` makes it the state in memory after the
// commit; `discard` forgets a batch that failed, whose attempts the writer settles one by one. Between them
// everything is in the writer's own memory: a writer that ends in between has settled nothing, and its
// successor settles or saves the same attempts.
struct AttemptSettlement {
  Attempt attempt;
  AttemptResult result;
  bool has_subject;
  Uuid subject;  // so that visage.attempts can name it
};
void save_attempts(const AttemptSettlement* settlements, int count, TimestampTz now);
void publish_attempts();
void discard_attempts();

// Holds those of the counters in which something has failed, whatever their limits say, to be settled as
// kUnlock with the event that records it: they are set back when, and only when, that is durable. False, and
// nothing held, when nothing has failed in any. For use inside SPI.
bool hold_for_unlock(int32 institution, const AttemptTarget* targets, int count, Attempt& out);

// The key of a value's counter: external subject id, a source's 16 bytes, an address in PostgreSQL's inet
// form without a netmask, or a device. Raises when keys are missing.
AttemptTarget attempt_target(keys::HashedKind kind, int32 institution, Bytes value);
// That of a factor of a subject, whose own target it is given. The face has none: it is the subject's.
AttemptTarget factor_target(int32 institution, const AttemptTarget& subject, factor::Kind kind);

}  // namespace visage::pg
