#include "pg/shared.h"

#include "pg/attempt.h"
#include "pg/boundary.h"
#include "pg/clock.h"
#include "pg/settings.h"

extern "C" {
#include "access/xlog.h"
}

namespace visage::pg {
namespace {

constexpr char kTranche[] = "pg_visage";

struct SharedState {
  int64 replay_began;  // probes captured earlier cannot be told from replays
  int64 replay_next_sweep;
  bool began_as_standby;  // and has decided nothing since
};

struct ReplayEntry {
  Uuid probe;
  int64 forget_at;
};

shmem_request_hook_type previous_request_hook = nullptr;
shmem_startup_hook_type previous_startup_hook = nullptr;
SharedState* state = nullptr;
HTAB* replay = nullptr;
LWLockPadded* locks = nullptr;

void request() {
  if (previous_request_hook != nullptr) previous_request_hook();
  RequestAddinShmemSpace(MAXALIGN(sizeof(SharedState)));
  RequestAddinShmemSpace(hash_estimate_size(settings::max_probes, sizeof(ReplayEntry)));
  RequestAddinShmemSpace(attempt_shared_size());
  RequestNamedLWLockTranche(kTranche, static_cast<int>(SharedLock::kCount));
}

// A standby remembers nothing of what its primary uses, so its memory begins with its promotion. PostgreSQL
// removes these files then.
bool starts_as_standby() {
  return access(STANDBY_SIGNAL_FILE, F_OK) == 0 || access(RECOVERY_SIGNAL_FILE, F_OK) == 0;
}

void startup() {
  if (previous_startup_hook != nullptr) previous_startup_hook();
  LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
  bool found = false;
  state = static_cast<SharedState*>(ShmemInitStruct("pg_visage state", sizeof(SharedState), &found));
  if (!found) *state = {unix_now(), 0, starts_as_standby()};
  HASHCTL control = {};
  control.keysize = sizeof(Uuid);
  control.entrysize = sizeof(ReplayEntry);
  replay = ShmemInitHash("pg_visage replay memory", settings::max_probes, settings::max_probes, &control,
                         HASH_ELEM | HASH_BLOBS | HASH_FIXED_SIZE);
  attempt_shared_startup();
  locks = GetNamedLWLockTranche(kTranche);
  LWLockRelease(AddinShmemInitLock);
}

void forget_expired(int64 now) {
  HASH_SEQ_STATUS scan;
  hash_seq_init(&scan, replay);
  while (auto* entry = static_cast<ReplayEntry*>(hash_seq_search(&scan)))
    if (entry->forget_at < now) hash_search(replay, &entry->probe, HASH_REMOVE, nullptr);
}

}  // namespace

void shared_init() {
  previous_request_hook = shmem_request_hook;
  shmem_request_hook = request;
  previous_startup_hook = shmem_startup_hook;
  shmem_startup_hook = startup;
}

LWLock* shared_lock(SharedLock lock) {
  return &locks[static_cast<int>(lock)].lock;
}

ProbeUse use_probe(const Uuid& probe, int64 captured_at, int64 forget_at, int64 now) {
  constexpr int64 kSweepInterval = 1000000;  // at most one sweep a second: it walks the whole table
  LWLockAcquire(shared_lock(SharedLock::kReplay), LW_EXCLUSIVE);
  if (state->began_as_standby) {  // promoted since: flows refuse to run during recovery
    state->replay_began = now;
    state->began_as_standby = false;
  }
  if (captured_at < state->replay_began) {
    LWLockRelease(shared_lock(SharedLock::kReplay));
    return ProbeUse::kBeforeMemory;
  }
  const bool filling = hash_get_num_entries(replay) >= settings::max_probes / 4 * 3;
  if (filling && now >= state->replay_next_sweep) {
    forget_expired(now);
    state->replay_next_sweep = now + kSweepInterval;
  }
  bool found = false;
  auto* entry = hash_get_num_entries(replay) >= settings::max_probes
                    ? static_cast<ReplayEntry*>(hash_search(replay, &probe, HASH_FIND, &found))
                    : static_cast<ReplayEntry*>(hash_search(replay, &probe, HASH_ENTER_NULL, &found));
  if (entry != nullptr && !found) entry->forget_at = forget_at;
  LWLockRelease(shared_lock(SharedLock::kReplay));
  if (found) return ProbeUse::kReplayed;
  if (entry == nullptr)
    ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
                    errmsg("the replay memory holds %d unexpired probes and is full", settings::max_probes),
                    errhint("Raise visage.max_probes and restart, or shorten the life of probes.")));
  return ProbeUse::kFirst;
}

}  // namespace visage::pg
