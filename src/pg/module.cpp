// Entry point: one call a part.
#include "pg/audit.h"
#include "pg/audit_writer.h"
#include "pg/boundary.h"
#include "pg/gallery_index.h"
#include "pg/gallery_start.h"
#include "pg/keeper.h"
#include "pg/keys.h"
#include "pg/log_guard.h"
#include "pg/settings.h"
#include "pg/shared.h"

extern "C" {
VISAGE_EXPORT const Pg_magic_struct* Pg_magic_func(void);
VISAGE_EXPORT void _PG_init(void);

PG_MODULE_MAGIC;

void _PG_init(void) {
  using namespace visage::pg;
  settings::init();
  log_guard_init();
  if (!process_shared_preload_libraries_in_progress) return;
  shared_init();
  audit_init();
  audit_writer_register();
  keeper_register();
  gallery_memory_reserve();
  gallery_worker_register();
  gallery_index_reserve();
  index_worker_register();
  keys_load_at_start();
}
}
