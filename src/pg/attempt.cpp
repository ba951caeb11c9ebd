// What backends do with attempts: holds, settlements in memory, unlocking.
#include "pg/attempt.h"

#include "pg/attempt_rows.h"
#include "pg/attempt_table.h"
#include "pg/audit.h"
#include "pg/boundary.h"
#include "pg/flow.h"
#include "pg/keys.h"
#include "pg/policy.h"
#include "pg/settings.h"
#include "pg/shared.h"
#include "pg/statement.h"

extern "C" {
#include "utils/snapmgr.h"
}

namespace visage::pg {
namespace {

using attempt_table::Entry;
using attempt_table::kNoPlace;

void unuse_all(const uint32* places, int count) {
  for (int i = 0; i < count; ++i) attempt_table::unuse(places[i]);
}

// A counter's row, and how many had departed from where it would be in memory before it was read.
struct Loaded {
  bool loaded;
  uint32 departures;
  attempt::Failures failures;
};

// Puts all counters to use, adding those whose row was read and is still their newest state. False, and none
// in use, when a row is to be read. With the lock held; released where it raises.
bool use_known(int32 institution, const AttemptTarget* targets, int count, const Loaded* rows,
               uint32* places) {
  for (int i = 0; i < count; ++i) {
    uint32& place = places[i];
    place = attempt_table::find(institution, targets[i]);
    if (place == kNoPlace && rows[i].loaded && attempt_table::departures(targets[i]) == rows[i].departures) {
      place = attempt_table::add(institution, targets[i], rows[i].failures);
      if (place == kNoPlace) {
        unuse_all(places, i);
        LWLockRelease(shared_lock(SharedLock::kAttempts));
        ereport(
            ERROR,
            (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
             errmsg("all %d counters of attempts are in use", settings::max_attempt_counters),
             errhint("Raise visage.max_attempt_counters and restart. If visage.audit_status shows that the "
                     "audit writer does not write, counters wait for it: see the server log.")));
      }
    }
    if (place == kNoPlace) {
      unuse_all(places, i);
      return false;
    }
    attempt_table::use(place);
  }
  return true;
}

// Finds the targets' counters, loading those that are not in memory, and puts each to use. Returns with the
// lock held.
void use_counters(int32 institution, const AttemptTarget* targets, int count, uint32* places) {
  LWLock* lock = shared_lock(SharedLock::kAttempts);
  Loaded rows[kMaxAttemptHolds] = {};
  for (;;) {
    LWLockAcquire(lock, LW_EXCLUSIVE);
    if (use_known(institution, targets, count, rows, places)) return;
    const AttemptTarget* missing[kMaxAttemptHolds];
    int missing_at[kMaxAttemptHolds];
    int missing_count = 0;
    for (int i = 0; i < count; ++i) {
      if (attempt_table::find(institution, targets[i]) != kNoPlace) continue;
      rows[i].departures = attempt_table::departures(targets[i]);
      missing_at[missing_count] = i;
      missing[missing_count++] = &targets[i];
    }
    LWLockRelease(lock);
    CHECK_FOR_INTERRUPTS();
    attempt::Failures failures[kMaxAttemptHolds];
    read_attempt_rows(institution, missing, missing_count, failures);
    for (int i = 0; i < missing_count; ++i) {
      rows[missing_at[i]].loaded = true;
      rows[missing_at[i]].failures = failures[i];
    }
  }
}

const attempt::Limits& limits_of(const AttemptLimits& limits, const AttemptTarget& target) {
  return limits[attempt_kind(target.kind)];
}

}  // namespace

const char* attempt_kind_label(keys::HashedKind kind) {
  switch (kind) {
    case keys::HashedKind::kSubject:
      return "subject";
    case keys::HashedKind::kSource:
      return "source";
    case keys::HashedKind::kAddress:
      return "address";
    case keys::HashedKind::kDevice:
      return "device";
    default:
      return "factor";
  }
}

Size attempt_shared_size() {
  return attempt_table::size();
}

void attempt_shared_startup() {
  attempt_table::startup();
}

AttemptTarget attempt_target(keys::HashedKind kind, int32 institution, Bytes value) {
  const keys::KeyRing& ring = key_ring();
  AttemptTarget target = {kind, {}};
  raise_unless_ok(guarded([&] {
                    return keys::keyed_hash(engine(), ring, kind, static_cast<uint32_t>(institution), value,
                                            target.key);
                  }),
                  "cannot name a counter");
  return target;
}

bool hold_attempt(int32 institution, const AttemptTarget* targets, int count, const AttemptLimits& limits,
                  Attempt& out, int64& retry_after_us) {
  AttemptTarget limited[kMaxAttemptHolds];
  int limited_count = 0;
  for (int i = 0; i < count; ++i)
    if (limits_of(limits, targets[i]).any()) limited[limited_count++] = targets[i];
  out.count = 0;
  retry_after_us = 0;
  if (limited_count == 0) return true;

  use_counters(institution, limited, limited_count, out.places);
  const TimestampTz now = GetCurrentTimestamp();
  for (int i = 0; i < limited_count; ++i) {
    int64 retry_after = 0;
    if (attempt::may_hold(attempt_table::at(out.places[i]).counter, limits_of(limits, limited[i]), now,
                          retry_after))
      continue;
    if (retry_after_us != attempt::kOnlyUnlock)
      retry_after_us = retry_after == attempt::kOnlyUnlock ? retry_after : Max(retry_after, retry_after_us);
  }
  const bool admitted = retry_after_us == 0;
  for (int i = 0; i < limited_count; ++i) {
    Entry& entry = attempt_table::at(out.places[i]);
    if (!admitted) {
      attempt_table::unuse(out.places[i]);
      continue;
    }
    entry.limits = limits_of(limits, limited[i]);
    attempt::hold(entry.counter);
  }
  LWLockRelease(shared_lock(SharedLock::kAttempts));
  if (admitted) out.count = static_cast<uint32_t>(limited_count);
  return admitted;
}

AttemptTarget factor_target(int32 institution, const AttemptTarget& subject, factor::Kind kind) {
  const char* const label = factor::label(kind);
  uint8_t value[sizeof subject.key + 16];
  memcpy(value, subject.key, sizeof subject.key);
  memcpy(value + sizeof subject.key, label, strlen(label));
  return attempt_target(keys::HashedKind::kFactor, institution, {value, sizeof subject.key + strlen(label)});
}

bool hold_for_unlock(int32 institution, const AttemptTarget* targets, int count, Attempt& out) {
  uint32 places[kMaxAttemptHolds];
  use_counters(institution, targets, count, places);
  out.count = 0;
  for (int i = 0; i < count; ++i) {
    Entry& entry = attempt_table::at(places[i]);
    if (entry.counter.failures.consecutive != 0 || entry.counter.failures.in_period != 0) {
      attempt::hold(entry.counter);
      out.places[out.count++] = places[i];
    } else {
      attempt_table::unuse(places[i]);
    }
  }
  LWLockRelease(shared_lock(SharedLock::kAttempts));
  return out.count > 0;
}

void settle_attempt(const Attempt& attempt, AttemptResult result, const Uuid* subject) {
  if (attempt.count == 0) return;
  const TimestampTz now = GetCurrentTimestamp();
  LWLockAcquire(shared_lock(SharedLock::kAttempts), LW_EXCLUSIVE);
  for (uint32_t i = 0; i < attempt.count; ++i) {
    Entry& entry = attempt_table::at(attempt.places[i]);
    attempt::settle(entry.counter, entry.limits, result, now);
    if (subject != nullptr && entry.target.kind == keys::HashedKind::kSubject) {
      entry.subject = *subject;
      entry.has_subject = true;
    }
    attempt_table::unuse(attempt.places[i]);
  }
  LWLockRelease(shared_lock(SharedLock::kAttempts));
}

}  // namespace visage::pg
