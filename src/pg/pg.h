// The one place that includes PostgreSQL's headers, and the one place that knows their versions.
//
// Rules of src/pg: fetch, call src/core, store. No PostgreSQL call while an object with a destructor is live:
// an ereport leaves the frame by longjmp and would skip it. Core's Status and all structures passed here are
// trivial.
#pragma once

// Before the server's: with these comes <cstdio>, and the server has functions of its own in place of some.
#include <atomic>

#include "core/base/status.h"

extern "C" {
// clang-format off
#include "postgres.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
// clang-format on
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "libpq/pqformat.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
}

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "pg_visage supports PostgreSQL 15 to 18"
#endif

#if PG_VERSION_NUM < 180000
#define visage_primary_key_index(relation) RelationGetPrimaryKeyIndex(relation)
#define visage_index_beginscan(heap, index, snapshot, keys) index_beginscan(heap, index, snapshot, keys, 0)
#else
#define visage_primary_key_index(relation) RelationGetPrimaryKeyIndex(relation, false)
#define visage_index_beginscan(heap, index, snapshot, keys) \
  index_beginscan(heap, index, snapshot, nullptr, keys, 0)
#endif

// A process's number among all backends, from 0.
#if PG_VERSION_NUM < 170000
#define visage_proc_number() (MyProc->pgprocno)
#else
#define visage_proc_number() (MyProcNumber)
#endif

#if PG_VERSION_NUM < 160000
#define visage_insert_index_tuples(target, slot, state) \
  list_free(ExecInsertIndexTuples(target, slot, state, false, false, nullptr, NIL))
// What table_tuple_update() says about indexes, and what then is to be done.
using visage_update_indexes = bool;
#define visage_update_index_tuples(target, slot, state, update) \
  list_free(ExecInsertIndexTuples(target, slot, state, false, false, nullptr, NIL))
#else
#define visage_insert_index_tuples(target, slot, state) \
  list_free(ExecInsertIndexTuples(target, slot, state, false, false, nullptr, NIL, false))
#define visage_update_indexes TU_UpdateIndexes
#define visage_update_index_tuples(target, slot, state, update) \
  list_free(                                                    \
      ExecInsertIndexTuples(target, slot, state, false, false, nullptr, NIL, (update) == TU_Summarizing))
#endif
