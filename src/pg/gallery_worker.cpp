// The gallery worker: a background worker on visage.database, the only writer of galleries in memory.
//
// A round is one snapshot: what changed since the last one goes into memory, then memory is published as what
// the new snapshot saw. Whoever searches meanwhile reads what was published, and the newer rows from the
// table; so a round may take as long as it likes.
#include <algorithm>

#include "pg/boundary.h"
#include "pg/gallery_change.h"
#include "pg/gallery_fill.h"
#include "pg/gallery_start.h"
#include "pg/keys.h"
#include "pg/policy_generation.h"
#include "pg/settings.h"
#include "pg/shared.h"
#include "pg/statement.h"
#include "pg/worker.h"
#include "pg/worker_transaction.h"

extern "C" {
#include "pgstat.h"
#include "storage/proc.h"
#include "utils/xid8.h"
}

extern "C" {
VISAGE_EXPORT void visage_gallery_worker_main(Datum argument);
}

namespace visage::pg {
namespace {

constexpr char kName[] = "pg_visage gallery worker";
// Between two rounds at least: many commits make one.
constexpr long kShortInterval = 20;
// Without being woken: what another backend prepared, or a full latch lost.
constexpr long kIdleInterval = 1000;
// Failures in a row after which it tries once a minute.
constexpr int kMostFailures = 6;
// How often a gallery that did not fit is tried again, and the list of galleries is read in any case.
constexpr int kRefreshMilliseconds = 60000;

WorkerGallery* galleries = nullptr;
int gallery_count = 0;
uint64 publication = 0;
uint64 known_generation = 0;
bool read_list_again = true;
TimestampTz list_read_at = 0;
uint32 known_roots = 0;
Oid known_table = InvalidOid;

struct Seen {
  uint64 end;
  int running_count;
  uint64* running;
  TimestampTz at;
};
Seen published;
Seen now_seen;

Statement read_snapshot = {
    "SELECT pg_snapshot_xmax(s), ARRAY(SELECT x FROM pg_snapshot_xip(s) x ORDER BY 1) FROM "
    "pg_current_snapshot() s",
    0,
    {}};

uint64 next_publication() {
  return publication + 1;
}

void look_at_snapshot() {
  now_seen.at = GetCurrentTimestamp();
  execute(read_snapshot, nullptr, nullptr, true);
  bool is_null;
  now_seen.end = U64FromFullTransactionId(DatumGetFullTransactionId(column(0, 1, &is_null)));
  Datum* values;
  int count;
  deconstruct_array(DatumGetArrayTypeP(column(0, 2, &is_null)), XID8OID, sizeof(FullTransactionId),
                    FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, nullptr, &count);
  if (count > running_capacity()) elog(ERROR, "a snapshot with more transactions than the server can run");
  now_seen.running_count = count;
  for (int i = 0; i < count; ++i)
    now_seen.running[i] = U64FromFullTransactionId(DatumGetFullTransactionId(values[i]));
  SPI_freetuptable(SPI_tuptable);
}

void forget_everything() {
  for (int i = 0; i < gallery_count; ++i)
    if (galleries[i].used) retire_gallery(i, next_publication());
  memset(static_cast<void*>(galleries), 0, sizeof *galleries * static_cast<Size>(gallery_count));
  gallery_count = 0;
  read_list_again = true;
}

// The extension may have been dropped and made anew.
bool tables_present() {
  const Oid schema = get_namespace_oid("visage", true);
  const Oid table = OidIsValid(schema) ? get_relname_relid("gallery_removal", schema) : InvalidOid;
  if (table != known_table) forget_everything();
  known_table = table;
  return OidIsValid(table);
}

void tell_progress(int number) {
  GalleryShared& shared = gallery_shared();
  LWLockAcquire(shared_lock(SharedLock::kGallery), LW_EXCLUSIVE);
  MemoryGallery& told = shared.galleries[number];
  if (!told.used) {
    memset(static_cast<void*>(&told), 0, sizeof told);
    told.used = true;
    told.name = galleries[number].name;
  }
  told.done = galleries[number].done;
  told.due = galleries[number].due;
  shared.gallery_count = Max(shared.gallery_count, number + 1);
  LWLockRelease(shared_lock(SharedLock::kGallery));
}

void read_list() {
  const uint64 generation = policy_generation();
  const bool due = TimestampDifferenceExceeds(list_read_at, GetCurrentTimestamp(), kRefreshMilliseconds);
  // The snapshot is older than what was just heard, so the next round looks again.
  if (generation == known_generation && !read_list_again && !due) return;
  read_list_again = generation != known_generation;
  known_generation = generation;
  list_read_at = GetCurrentTimestamp();
  gallery_count = read_galleries(galleries, gallery_count);
  for (int i = 0; i < gallery_count; ++i) {
    WorkerGallery& gallery = galleries[i];
    if (gallery.used && !gallery.wanted) {
      retire_gallery(i, next_publication());
      memset(static_cast<void*>(&gallery), 0, sizeof gallery);
    }
    const bool given_up =
        gallery.state == GalleryState::kOverLimit || gallery.state == GalleryState::kNotLocked;
    if (gallery.used && given_up && due) gallery.to_load = true;
  }
}

// A root that came may open what did not open.
void look_at_roots() {
  const uint32 roots = key_ring().transform.count + key_ring().envelope.count;
  if (roots == known_roots) return;
  known_roots = roots;
  for (int i = 0; i < gallery_count; ++i)
    if (galleries[i].used && (galleries[i].key_missing || galleries[i].unopened > 0))
      galleries[i].to_load = true;
}

void fill(void* changed) {
  begin_worker_transaction();
  begin_filling(galleries, gallery_count);
  if (tables_present()) {
    look_at_snapshot();
    look_at_roots();
    read_list();
    begin_filling(galleries, gallery_count);
    ChangedReferences changes = {};
    if (publication > 0)
      collect_changes({published.end, published.running_count, published.running}, changes);
    if (changes.everything)
      for (int i = 0; i < gallery_count; ++i) galleries[i].to_load = galleries[i].used;
    refresh_references(galleries, gallery_count, changes.references, next_publication());
    for (int i = 0; i < gallery_count; ++i)
      if (galleries[i].used && galleries[i].to_load)
        load_gallery(galleries[i], i, next_publication(), tell_progress);
    for (int i = 0; i < gallery_count; ++i)
      if (galleries[i].used && galleries[i].state == GalleryState::kServing) compact(i, next_publication());
    *static_cast<bool*>(changed) = changes.removals;
  }
  end_worker_transaction();
  engine().forget_keys();
}

void publish() {
  GalleryShared& shared = gallery_shared();
  LWLockAcquire(shared_lock(SharedLock::kGallery), LW_EXCLUSIVE);
  for (int i = 0; i < Max(gallery_count, shared.gallery_count); ++i) {
    const WorkerGallery& gallery = galleries[i];
    MemoryGallery& told = shared.galleries[i];
    memset(static_cast<void*>(&told), 0, sizeof told);
    if (!gallery.used) continue;
    const LocalChains& chains = chains_of(i);
    told.used = true;
    told.name = gallery.name;
    told.state = gallery.state;
    told.key_missing = gallery.key_missing;
    told.chain_count = chains.count;
    for (int j = 0; j < chains.count; ++j)
      told.chains[j] = {chains.chains[j].gallery, chains.chains[j].first, chains.chains[j].live};
    told.blocks = chains.blocks;
    told.unopened = gallery.unopened;
    told.done = gallery.done;
    told.due = gallery.due;
  }
  shared.gallery_count = gallery_count;
  shared.seen_at = now_seen.at;
  shared.seen_end = now_seen.end;
  shared.seen_running_count = now_seen.running_count;
  memcpy(published_running(), now_seen.running, sizeof(uint64) * static_cast<Size>(now_seen.running_count));
  shared.publication = ++publication;
  shared.fault[0] = '\0';
  LWLockRelease(shared_lock(SharedLock::kGallery));
  std::swap(published, now_seen);
}

void forget_removals(void*) {
  begin_worker_transaction();
  delete_removals({published.end, published.running_count, published.running});
  end_worker_transaction();
}

bool run(void (*work)(void*), void* argument) {
  char why[160];
  if (caught(work, argument, why, sizeof why)) return true;
  AbortCurrentTransaction();
  engine().forget_keys();
  LWLockAcquire(shared_lock(SharedLock::kGallery), LW_EXCLUSIVE);
  strlcpy(gallery_shared().fault, why, sizeof gallery_shared().fault);
  LWLockRelease(shared_lock(SharedLock::kGallery));
  return false;
}

// Returns how long it may sleep; false: it failed.
bool round(long& idle) {
  idle = kIdleInterval;
  bool removals = false;
  if (!run(fill, &removals)) return false;
  if (!OidIsValid(known_table) && gallery_count == 0 && gallery_shared().gallery_count == 0) return true;
  publish();
  free_retired(oldest_reading());
  if (removals) run(forget_removals, nullptr);
  gallery_shared().pending = retired_count();
  if (retired_count() > 0 || read_list_again) idle = kShortInterval;
  return true;
}

void at_exit(int, Datum) {
  GalleryShared& shared = gallery_shared();
  LWLockAcquire(shared_lock(SharedLock::kGallery), LW_EXCLUSIVE);
  shared.worker_pid = 0;
  shared.worker_latch = nullptr;
  shared.publication = 0;
  shared.gallery_count = 0;
  memset(static_cast<void*>(shared.galleries), 0, sizeof shared.galleries);
  ++shared.worker;
  LWLockRelease(shared_lock(SharedLock::kGallery));
  // Who is reading hears of it at the end, and reads the table.
  wipe_range();
}

void serve() {
  TimestampTz earliest = 0, latest = 0;
  bool woken = true;
  int failures = 0;
  for (;;) {
    CHECK_FOR_INTERRUPTS();
    follow_settings();
    const TimestampTz now = GetCurrentTimestamp();
    if (now >= (woken ? earliest : latest)) {
      // What comes from here on is for the next round.
      ResetLatch(MyLatch);
      woken = false;
      long idle;
      failures = round(idle) ? 0 : Min(failures + 1, kMostFailures);
      // What failed will fail again: the log is not to be filled with it, however often somebody commits.
      const long pause = failures == 0 ? kShortInterval : kIdleInterval << failures;
      earliest = TimestampTzPlusMilliseconds(now, pause);
      latest = Max(earliest, TimestampTzPlusMilliseconds(GetCurrentTimestamp(), idle));
      pgstat_report_stat(false);
      continue;
    }
    const long timeout = Max(TimestampDifferenceMilliseconds(now, woken ? earliest : latest), 1L);
    const int rc =
        WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, timeout, PG_WAIT_EXTENSION);
    if ((rc & WL_LATCH_SET) == 0) continue;
    ResetLatch(MyLatch);
    woken = true;
  }
}

}  // namespace

void gallery_worker_register() {
  if (block_count() > 0) register_worker(kName, "visage_gallery_worker_main");
}

}  // namespace visage::pg

extern "C" void visage_gallery_worker_main(Datum) {
  using namespace visage::pg;
  begin_worker(kName);
  // What it writes need not last: after a crash memory is read anew.
  SetConfigOption("synchronous_commit", "off", PGC_SUSET, PGC_S_OVERRIDE);
  GalleryShared& shared = gallery_shared();
  galleries = static_cast<WorkerGallery*>(
      MemoryContextAllocHuge(TopMemoryContext, sizeof(WorkerGallery) * kMaxGalleries));
  memset(static_cast<void*>(galleries), 0, sizeof(WorkerGallery) * kMaxGalleries);
  for (Seen* const seen : {&published, &now_seen})
    seen->running = static_cast<uint64*>(
        MemoryContextAlloc(TopMemoryContext, sizeof(uint64) * static_cast<Size>(running_capacity())));
  places_init();
  before_shmem_exit(at_exit, 0);
  LWLockAcquire(shared_lock(SharedLock::kGallery), LW_EXCLUSIVE);
  shared.worker_pid = MyProcPid;
  shared.worker_latch = MyLatch;
  shared.database = MyDatabaseId;
  ++shared.worker;
  LWLockRelease(shared_lock(SharedLock::kGallery));
  serve();
}
