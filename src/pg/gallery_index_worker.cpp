// The index worker: the one process that FAISS is loaded into, and only where visage.gallery_index asks for
// one. It answers questions between small steps of everything else.
#include <sys/mman.h>
#include <sys/prctl.h>

#include "pg/boundary.h"
#include "pg/gallery_index_keep.h"
#include "pg/gallery_index_snapshot.h"
#include "pg/keys.h"
#include "pg/settings.h"
#include "pg/shared.h"
#include "pg/worker.h"

extern "C" {
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/proc.h"
}

extern "C" {
VISAGE_EXPORT void visage_index_worker_main(Datum argument);
}

namespace visage::pg {
namespace {

constexpr char kName[] = "pg_visage index worker";
constexpr int64 kPlanMilliseconds = 1000;

bool keeps_indexes = false;
gallery_index::Kind served_kind;

void at_exit(int, Datum) {
  LWLockAcquire(shared_lock(SharedLock::kGalleryIndex), LW_EXCLUSIVE);
  IndexShared& shared = index_shared();
  shared.worker_pid = 0;
  shared.worker_latch = nullptr;
  memset(static_cast<void*>(shared.indexes), 0, sizeof shared.indexes);
  LWLockRelease(shared_lock(SharedLock::kGalleryIndex));
}

void follow_index_settings() {
  if (!ConfigReloadPending) return;
  follow_settings();
  gallery_index::Kind kind = served_kind;
  const bool keeps = settings::keeps_index(kind);
  // Started anew by the postmaster, with another kind or without FAISS.
  if (keeps != keeps_indexes || kind != served_kind) proc_exit(1);
}

// Codes in clear, and who looks like whom: neither in a core dump nor, where the system lets us, in swap.
void protect_memory() {
  if (prctl(PR_SET_DUMPABLE, 0) != 0) ereport(FATAL, (errmsg("could not switch core dumps off: %m")));
  const bool locked = mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
  if (!locked)
    ereport(LOG,
            (errmsg("the memory of galleries' indexes can be swapped out: %m"),
             errhint("Set LimitMEMLOCK=infinity in the server's systemd unit, or encrypt the swap space.")));
  LWLockAcquire(shared_lock(SharedLock::kGalleryIndex), LW_EXCLUSIVE);
  index_shared().locked = locked;
  LWLockRelease(shared_lock(SharedLock::kGalleryIndex));
}

void serve() {
  TimestampTz next_plan = 0;
  for (;;) {
    CHECK_FOR_INTERRUPTS();
    follow_index_settings();
    if (!keeps_indexes) {
      (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, -1, PG_WAIT_EXTENSION);
      ResetLatch(MyLatch);
      continue;
    }
    answer_requests();
    bool busy = work_on_indexes();
    if (!busy && GetCurrentTimestamp() >= next_plan) {
      plan_indexes();
      next_plan = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), kPlanMilliseconds);
      busy = true;
    }
    (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, busy ? 0 : kPlanMilliseconds,
                    PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
  }
}

void begin() {
  char why[160] = "";
  keeps_indexes = settings::keeps_index(served_kind);
  if (keeps_indexes) {
    protect_memory();
    key_ring();
    if (!lock_requests()) {
      snprintf(why, sizeof why, "the memory for questions to indexes could not be locked: error %d", errno);
      keeps_indexes = false;
    } else {
      keeps_indexes = load_index_library(why, sizeof why);
    }
    if (!keeps_indexes)
      ereport(LOG, (errmsg("no index of galleries is kept: %s", why), errdetail("Searches are exact.")));
  }
  clear_requests();
  remove_snapshots(!keeps_indexes);
  LWLockAcquire(shared_lock(SharedLock::kGalleryIndex), LW_EXCLUSIVE);
  IndexShared& shared = index_shared();
  shared.worker_pid = MyProcPid;
  shared.worker_latch = MyLatch;
  shared.database = MyDatabaseId;
  strlcpy(shared.fault, why, sizeof shared.fault);
  LWLockRelease(shared_lock(SharedLock::kGalleryIndex));
}

}  // namespace

void index_worker_register() {
  if (settings::gallery_memory > 0) register_worker(kName, "visage_index_worker_main");
}

}  // namespace visage::pg

extern "C" void visage_index_worker_main(Datum) {
  using namespace visage::pg;
  begin_worker(kName);
  before_shmem_exit(at_exit, 0);
  begin();
  serve();
}
