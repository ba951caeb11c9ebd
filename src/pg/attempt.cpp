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

// Finds the targets' counters, loading those that are not in memory, and puts each to use. Returns with the
// lock held.
void use_counters(int32 institution, const AttemptTarget* targets, int count, uint32* places) {
  LWLock* lock = shared_lock(SharedLock::kAttempts);
  bool loaded = false;  // failures of targets[i], read since departures were counted
  uint32 departures = 0;
  attempt::Failures failures = {};
  LWLockAcquire(lock, LW_EXCLUSIVE);
  for (int i = 0; i < count;) {
    const AttemptTarget& target = targets[i];
    places[i] = attempt_table::find(institution, target);
    if (places[i] == kNoPlace && loaded && attempt_table::departures(target) == departures) {
      places[i] = attempt_table::add(institution, target, failures);
      if (places[i] == kNoPlace) {
        unuse_all(places, i);
        LWLockRelease(lock);
        ereport(
            ERROR,
            (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
             errmsg("all %d counters of attempts are in use", settings::max_attempt_counters),
             errhint("Raise visage.max_attempt_counters and restart. If visage.audit_status shows that the "
                     "audit writer does not write, counters wait for it: see the server log.")));
      }
    }
    if (places[i] != kNoPlace) {
      attempt_table::use(places[i++]);
      loaded = false;
      continue;
    }
    departures = attempt_table::departures(target);
    // Reading may raise: what is in use is given back first, and looked for again afterwards.
    unuse_all(places, i);
    LWLockRelease(lock);
    failures = read_attempt_row(institution, target);
    LWLockAcquire(lock, LW_EXCLUSIVE);
    loaded = true;
    for (int j = 0; j < i; ++j) {
      const uint32 place = attempt_table::find(institution, targets[j]);
      if (place == kNoPlace) {  // it left meanwhile: begin again
        unuse_all(places, j);
        loaded = false;
        i = 0;
        break;
      }
      places[j] = place;
      attempt_table::use(place);
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
