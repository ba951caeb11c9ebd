#include "pg/keeper.h"

#include "pg/boundary.h"
#include "pg/keys.h"
#include "pg/settings.h"
#include "pg/shared.h"
#include "pg/statement.h"
#include "pg/worker.h"
#include "pg/worker_transaction.h"

extern "C" {
#include "commands/dbcommands.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/latch.h"
#include "storage/proc.h"
}

extern "C" {
VISAGE_EXPORT void visage_keeper_main(Datum argument);
}

namespace visage::pg {
namespace {

constexpr char kName[] = "pg_visage keeper";
// In the order of a round. Labels of visage.keep().
const char* const kTasks[] = {"details", "sessions", "attempts",  "consents", "identity_checks",
                              "imports", "subjects", "galleries", "erasures"};
const char* const kRewraps[] = {"keys", "references", "factors"};
// Rows a transaction: their subjects are locked for its length.
constexpr int kPart = 500;

// Under SharedLock::kKeeper.
struct KeeperShared {
  int pid;
  Oid database;
  const char* task;  // a literal, at the same address in every process; null between rounds
  int64 done;        // of the task
  int64 due;         // when it began
  int64 rounds;      // since the server started
  TimestampTz began;
  TimestampTz ended;
  char fault[160];
};
KeeperShared* shared = nullptr;

Statement count_due = {"SELECT visage.keep_due($1)", 1, {"text"}};
Statement keep_part = {
    "SELECT k.place, k.done, k.more FROM visage.keep($1, $2, $3) k", 3, {"text", "integer", "uuid"}};

struct Part {
  const char* task;
  bool has_place;
  Uuid place;
  int64 count;
  bool more;
};

template <typename Change>
void tell(Change change) {
  LWLockAcquire(shared_lock(SharedLock::kKeeper), LW_EXCLUSIVE);
  change(*shared);
  LWLockRelease(shared_lock(SharedLock::kKeeper));
}

void end() {
  end_worker_transaction();
  engine().forget_keys();
}

bool house_present() {
  const Oid schema = get_namespace_oid("visage", true);
  return OidIsValid(schema) && OidIsValid(get_relname_relid("erasure", schema));
}

void find_house(void* present) {
  begin_worker_transaction();
  *static_cast<bool*>(present) = house_present();
  end();
}

void count_task(void* argument) {
  auto& part = *static_cast<Part*>(argument);
  begin_worker_transaction();
  const Datum arguments[] = {CStringGetTextDatum(part.task)};
  execute(count_due, arguments, nullptr, true);
  bool is_null;
  part.count = DatumGetInt64(column(0, 1, &is_null));
  end();
}

void do_part(void* argument) {
  auto& part = *static_cast<Part*>(argument);
  begin_worker_transaction();
  const Datum arguments[] = {CStringGetTextDatum(part.task), Int32GetDatum(kPart), uuid_datum(part.place)};
  const char nulls[] = {' ', ' ', part.has_place ? ' ' : 'n', '\0'};
  execute(keep_part, arguments, nulls, false);
  bool is_null;
  part.has_place = !column_is_null(0, 1);
  if (part.has_place) part.place = column_uuid(0, 1);
  part.count = DatumGetInt64(column(0, 2, &is_null));
  part.more = DatumGetBool(column(0, 3, &is_null));
  end();
}

bool run(void (*work)(void*), void* argument, char (&why)[160]) {
  if (caught(work, argument, why, sizeof why)) return true;
  AbortCurrentTransaction();
  engine().forget_keys();
  tell([&](KeeperShared& keeper) { strlcpy(keeper.fault, why, sizeof keeper.fault); });
  return false;
}

// False on a fault, which the log and the view tell; the next round tries again. Clears `all` when some of
// what was due is left.
bool keep_task(const char* task, bool& all, int64& done) {
  char why[160];
  Part part = {};
  part.task = task;
  if (!run(count_task, &part, why)) return false;
  tell([&](KeeperShared& keeper) {
    keeper.task = task;
    keeper.due = part.count;
    keeper.done = 0;
  });
  if (part.count == 0) return true;
  int64 left = part.count;
  do {
    CHECK_FOR_INTERRUPTS();
    follow_settings();
    if (!settings::keeper) {
      all = false;
      return true;
    }
    if (!run(do_part, &part, why)) return false;
    tell([&](KeeperShared& keeper) { keeper.done += part.count; });
    left -= part.count;
    done += part.count;
    pgstat_report_stat(false);
  } while (part.more);
  all = all && left <= 0;
  return true;
}

void find_newest(void* version) {
  *static_cast<uint32_t*>(version) = key_ring().envelope.newest()->version;
}

// Counting what is under an older root reads whole tables, so it ends when all was found under the newest:
// new rows come under that.
bool rewrap() {
  static uint32_t all_under = 0;
  uint32_t newest = 0;
  char why[160];
  if (!run(find_newest, &newest, why)) return false;
  if (all_under == newest) return true;
  bool well = true;
  bool all = true;
  int64 done = 0;
  for (const char* const task : kRewraps) well = keep_task(task, all, done) && well;
  // What does not open will not open in a minute: it is tried again after the next start or new root.
  if (well && (all || done == 0)) all_under = newest;
  return well;
}

void keep_round() {
  char why[160];
  bool present = false;
  if (!run(find_house, &present, why) || !present) return;
  tell([](KeeperShared& keeper) { keeper.began = GetCurrentTimestamp(); });
  bool well = true;
  bool all = true;
  int64 done = 0;
  for (const char* const task : kTasks) well = keep_task(task, all, done) && well;
  well = rewrap() && well;
  tell([&](KeeperShared& keeper) {
    keeper.task = nullptr;
    keeper.ended = GetCurrentTimestamp();
    ++keeper.rounds;
    if (well) keeper.fault[0] = '\0';
  });
}

void at_exit(int, Datum) {
  tell([](KeeperShared& keeper) {
    keeper.pid = 0;
    keeper.task = nullptr;
  });
}

void serve() {
  TimestampTz next = 0;
  for (;;) {
    CHECK_FOR_INTERRUPTS();
    follow_settings();
    if (settings::keeper && GetCurrentTimestamp() >= next) {
      keep_round();
      next = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), int64{settings::keeper_interval} * 1000);
    }
    pgstat_report_stat(true);
    (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
                    static_cast<long>(settings::keeper_interval) * 1000, PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
    // Another interval applies at once.
    if (ConfigReloadPending) next = 0;
  }
}

}  // namespace

Size keeper_shared_size() {
  return MAXALIGN(sizeof(KeeperShared));
}

void keeper_shared_startup() {
  bool found = false;
  shared = static_cast<KeeperShared*>(ShmemInitStruct("pg_visage keeper", sizeof(KeeperShared), &found));
  if (!found) memset(static_cast<void*>(shared), 0, sizeof(KeeperShared));
}

void keeper_register() {
  register_worker(kName, "visage_keeper_main");
}

// keeper() → one row: the source of the view visage.keeper.
VISAGE_FUNCTION(visage_keeper) {
  key_ring();  // says so when the library is not preloaded
  TupleDesc descriptor;
  if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
    elog(ERROR, "return type must be a row type");
  LWLockAcquire(shared_lock(SharedLock::kKeeper), LW_SHARED);
  const KeeperShared keeper = *shared;
  LWLockRelease(shared_lock(SharedLock::kKeeper));
  const char* const database = keeper.pid != 0 ? get_database_name(keeper.database) : nullptr;
  const char* const state = keeper.pid == 0          ? "stopped"
                            : keeper.task != nullptr ? "working"
                            : !settings::keeper      ? "off"
                                                     : "waiting";
  Datum values[] = {CStringGetTextDatum(state),
                    Int32GetDatum(keeper.pid),
                    database != nullptr ? CStringGetTextDatum(database) : 0,
                    keeper.task != nullptr ? CStringGetTextDatum(keeper.task) : 0,
                    Int64GetDatum(keeper.done),
                    Int64GetDatum(keeper.due),
                    Int64GetDatum(keeper.rounds),
                    TimestampTzGetDatum(keeper.began),
                    TimestampTzGetDatum(keeper.ended),
                    CStringGetTextDatum(keeper.fault)};
  bool nulls[lengthof(values)] = {};
  nulls[1] = keeper.pid == 0;
  nulls[2] = database == nullptr;
  nulls[3] = nulls[4] = nulls[5] = keeper.task == nullptr;
  nulls[7] = keeper.began == 0;
  nulls[8] = keeper.ended == 0;
  nulls[9] = keeper.fault[0] == '\0';
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}

}  // namespace visage::pg

extern "C" void visage_keeper_main(Datum) {
  using namespace visage::pg;
  begin_worker(kName);
  before_shmem_exit(at_exit, 0);
  tell([](KeeperShared& keeper) {
    keeper.pid = MyProcPid;
    keeper.database = MyDatabaseId;
  });
  serve();
}
