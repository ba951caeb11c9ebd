#include "pg/worker.h"

#include "pg/pg.h"
#include "pg/settings.h"

extern "C" {
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "tcop/tcopprot.h"
}

namespace visage::pg {
namespace {

char served[NAMEDATALEN];

void set(const char* name, const char* value) {
  SetConfigOption(name, value, PGC_SUSET, PGC_S_OVERRIDE);
}

}  // namespace

void register_worker(const char* name, const char* function) {
  if (IsBinaryUpgrade) return;
  BackgroundWorker worker = {};
  worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
  worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
  worker.bgw_restart_time = 1;
  strlcpy(worker.bgw_library_name, "pg_visage", sizeof worker.bgw_library_name);
  strlcpy(worker.bgw_function_name, function, sizeof worker.bgw_function_name);
  strlcpy(worker.bgw_name, name, sizeof worker.bgw_name);
  strlcpy(worker.bgw_type, name, sizeof worker.bgw_type);
  RegisterBackgroundWorker(&worker);
}

void begin_worker(const char* name) {
  pqsignal(SIGHUP, SignalHandlerForConfigReload);
  pqsignal(SIGTERM, die);
  BackgroundWorkerUnblockSignals();
  strlcpy(served, settings::database, sizeof served);
  BackgroundWorkerInitializeConnection(served, nullptr, 0);
  set("default_transaction_read_only", "off");
  // What it looks at is what is committed now; it could not update a row that somebody else erased.
  set("default_transaction_isolation", "read committed");
  set("statement_timeout", "0");
  set("lock_timeout", "0");
  set("idle_in_transaction_session_timeout", "0");
  set("search_path", "pg_catalog, pg_temp");
  set("application_name", name);
}

void follow_settings() {
  if (!ConfigReloadPending) return;
  ConfigReloadPending = false;
  ProcessConfigFile(PGC_SIGHUP);
  // Started anew by the postmaster, on the other database.
  if (worker_moves()) proc_exit(1);
}

bool worker_moves() {
  return strcmp(settings::database, served) != 0;
}

}  // namespace visage::pg
