#include "pg/shared.h"

#include "pg/attempt.h"
#include "pg/audit_ring.h"
#include "pg/boundary.h"
#include "pg/clock.h"
#include "pg/gallery_index.h"
#include "pg/gallery_start.h"
#include "pg/keeper.h"
#include "pg/settings.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

constexpr char kTranche[] = "pg_visage";

struct SharedState {
  int64 replay_began;  // probes captured earlier cannot be told from replays
  int64 replay_next_sweep;
  Oid replay_database;  // whose ledger was read
};

// Nothing is known of any probe before the writer has read the ledger.
constexpr int64 kNever = PG_INT64_MAX;

struct ReplayEntry {
  Uuid probe;
  int64 forget_at;
  // Forgotten by its age while its own life may go on: a later setting that lets probes live longer must not
  // make it good again. kNever else.
  int64 captured_at;
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
  RequestAddinShmemSpace(audit_ring_size());
  RequestAddinShmemSpace(attempt_shared_size());
  RequestAddinShmemSpace(keeper_shared_size());
  RequestAddinShmemSpace(gallery_shared_size());
  RequestAddinShmemSpace(gallery_index_shared_size());
  RequestNamedLWLockTranche(kTranche, static_cast<int>(SharedLock::kCount));
}

void startup() {
  if (previous_startup_hook != nullptr) previous_startup_hook();
  LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
  bool found = false;
  state = static_cast<SharedState*>(ShmemInitStruct("pg_visage state", sizeof(SharedState), &found));
  if (!found) *state = {kNever, 0, InvalidOid};
  HASHCTL control = {};
  control.keysize = sizeof(Uuid);
  control.entrysize = sizeof(ReplayEntry);
  replay = ShmemInitHash("pg_visage replay memory", settings::max_probes, settings::max_probes, &control,
                         HASH_ELEM | HASH_BLOBS | HASH_FIXED_SIZE);
  audit_ring_startup();
  attempt_shared_startup();
  keeper_shared_startup();
  gallery_shared_startup();
  gallery_index_shared_startup();
  locks = GetNamedLWLockTranche(kTranche);
  LWLockRelease(AddinShmemInitLock);
}

// How long after its capture a probe may be used, by a source whose clock is ahead as well.
int64 life_of_probes() {
  return static_cast<int64>(settings::probe_max_age + settings::clock_skew) * USECS_PER_SEC;
}

void forget_expired(int64 now) {
  HASH_SEQ_STATUS scan;
  hash_seq_init(&scan, replay);
  while (auto* entry = static_cast<ReplayEntry*>(hash_seq_search(&scan)))
    if (entry->forget_at < now) {
      if (entry->captured_at != kNever)
        state->replay_began = Max(state->replay_began, entry->captured_at + 1);
      hash_search(replay, &entry->probe, HASH_REMOVE, nullptr);
    }
}

// Newest first. A comparison with a document uses the document's probe up as well; its event names it as
// reference.
Statement used_probes = {
    "SELECT e.probe, CASE WHEN e.operation = 'compare' THEN e.reference END, e.at FROM visage.event e "
    "WHERE e.at > $1 AND e.probe IS NOT NULL ORDER BY e.seq DESC LIMIT $2",
    2,
    {"timestamptz", "bigint"}};

// Versions without a ledger lost the record of a use with its caller's transaction. Their last use was before
// this library was loaded, which was before the ledger was opened.
Statement recorded_since = {
    "SELECT coalesce((SELECT t.opened_at FROM visage.tree t), pg_postmaster_start_time()) "
    "FROM visage.event e WHERE e.seq = 0 AND e.operation <> 'open_ledger'",
    0,
    {}};

int64 every_use_recorded_since() {
  int64 since = PG_INT64_MIN;
  bool is_null;
  if (execute(recorded_since, nullptr, nullptr, true) == 1)
    since = to_unix(DatumGetTimestampTz(column(0, 1, &is_null)));
  SPI_freetuptable(SPI_tuptable);
  return since;
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

namespace {

// With the lock held. Null when the memory is full.
ReplayEntry* remember(const Uuid& key, int64 now, bool& found) {
  constexpr int64 kSweepInterval = 1000000;  // at most one sweep a second: it walks the whole table
  const bool filling = hash_get_num_entries(replay) >= settings::max_probes / 4 * 3;
  if (filling && now >= state->replay_next_sweep) {
    forget_expired(now);
    state->replay_next_sweep = now + kSweepInterval;
  }
  const HASHACTION action =
      hash_get_num_entries(replay) >= settings::max_probes ? HASH_FIND : HASH_ENTER_NULL;
  return static_cast<ReplayEntry*>(hash_search(replay, &key, action, &found));
}

[[noreturn]] void memory_is_full() {
  ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
                  errmsg("the replay memory holds %d unexpired probes and is full", settings::max_probes),
                  errhint("Raise visage.max_probes and restart, or shorten the life of probes.")));
  pg_unreachable();
}

}  // namespace

ProbeUse use_probe(const Uuid& probe, int64 captured_at, int64 expires_at, int64 now) {
  LWLockAcquire(shared_lock(SharedLock::kReplay), LW_EXCLUSIVE);
  if (captured_at < state->replay_began) {
    LWLockRelease(shared_lock(SharedLock::kReplay));
    return ProbeUse::kBeforeMemory;
  }
  bool found = false;
  ReplayEntry* entry = remember(probe, now, found);
  if (entry != nullptr && !found) {
    const int64 too_old_at = captured_at + life_of_probes();
    entry->forget_at = Min(expires_at, too_old_at);
    entry->captured_at = expires_at <= too_old_at ? kNever : captured_at;
  }
  LWLockRelease(shared_lock(SharedLock::kReplay));
  if (found) return ProbeUse::kReplayed;
  if (entry == nullptr) memory_is_full();
  return ProbeUse::kFirst;
}

bool take_session(const Uuid& session, int64 expires_at, int64 now) {
  LWLockAcquire(shared_lock(SharedLock::kReplay), LW_EXCLUSIVE);
  bool found = false;
  ReplayEntry* entry = remember(session, now, found);
  if (entry != nullptr && !found) {
    entry->forget_at = expires_at;
    entry->captured_at = kNever;
  }
  LWLockRelease(shared_lock(SharedLock::kReplay));
  if (entry == nullptr) memory_is_full();
  return !found;
}

void give_session_back(const Uuid& session) {
  LWLockAcquire(shared_lock(SharedLock::kReplay), LW_EXCLUSIVE);
  hash_search(replay, &session, HASH_REMOVE, nullptr);
  LWLockRelease(shared_lock(SharedLock::kReplay));
}

void load_replay_memory() {
  const int64 recorded = every_use_recorded_since();
  if (state->replay_database == MyDatabaseId) return;
  const int64 life = life_of_probes();
  const TimestampTz now = GetCurrentTimestamp();
  // Half of the memory at most; it must have room for what comes.
  const int64 limit = settings::max_probes / 2;
  const Datum arguments[] = {TimestampTzGetDatum(now - life), Int64GetDatum(limit)};
  const uint64 found = execute(used_probes, arguments, nullptr, true);
  // What was captured earlier has expired; it may have been used before what we read.
  int64 began = to_unix(now) - static_cast<int64>(settings::probe_max_age) * USECS_PER_SEC;
  LWLockAcquire(shared_lock(SharedLock::kReplay), LW_EXCLUSIVE);
  for (uint64 i = 0; i < found && hash_get_num_entries(replay) < settings::max_probes; ++i) {
    bool is_null;
    const int64 at = to_unix(DatumGetTimestampTz(column(i, 3, &is_null)));
    for (const int place : {1, 2}) {
      if (column_is_null(i, place)) continue;
      const Uuid probe = column_uuid(i, place);
      auto* entry = static_cast<ReplayEntry*>(hash_search(replay, &probe, HASH_ENTER_NULL, nullptr));
      if (entry == nullptr) continue;
      entry->forget_at = at + life;
      entry->captured_at = at + static_cast<int64>(settings::clock_skew) * USECS_PER_SEC;
    }
    // Older ones than fit are refused by their time of capture, which is before that of their use.
    if (found == static_cast<uint64>(limit)) began = Max(began, at);
  }
  state->replay_began = Max(began, recorded);
  state->replay_database = MyDatabaseId;
  LWLockRelease(shared_lock(SharedLock::kReplay));
  SPI_freetuptable(SPI_tuptable);
}

}  // namespace visage::pg
