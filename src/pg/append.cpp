#include "pg/append.h"

extern "C" {
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "executor/executor.h"
}

namespace visage::pg {
namespace {

constexpr int kChunk = 64;  // rows in slots at one time

}  // namespace

void append_rows(const char* table, int columns, const Datum* values, const bool* nulls, int count) {
  const Oid schema = get_namespace_oid("visage", false);
  Relation relation = table_open(get_relname_relid(table, schema), RowExclusiveLock);
  if (RelationGetNumberOfAttributes(relation) != columns)
    elog(ERROR, "visage.%s has %d columns, not %d", table, RelationGetNumberOfAttributes(relation), columns);
  EState* state = CreateExecutorState();
  ResultRelInfo* target = makeNode(ResultRelInfo);
  InitResultRelInfo(target, relation, 1, nullptr, 0);
  ExecOpenIndices(target, false);
  BulkInsertState bulk = GetBulkInsertState();
  TupleTableSlot* slots[kChunk];
  const int slot_count = Min(count, kChunk);
  for (int i = 0; i < slot_count; ++i) slots[i] = table_slot_create(relation, nullptr);

  for (int done = 0; done < count;) {
    const int part = Min(count - done, kChunk);
    for (int i = 0; i < part; ++i) {
      const size_t first = static_cast<size_t>(done + i) * static_cast<size_t>(columns);
      ExecClearTuple(slots[i]);
      memcpy(slots[i]->tts_values, values + first, sizeof(Datum) * static_cast<size_t>(columns));
      memcpy(slots[i]->tts_isnull, nulls + first, sizeof(bool) * static_cast<size_t>(columns));
      ExecStoreVirtualTuple(slots[i]);
    }
    table_multi_insert(relation, slots, part, GetCurrentCommandId(true), 0, bulk);
    for (int i = 0; i < part; ++i) visage_insert_index_tuples(target, slots[i], state);
    ResetPerTupleExprContext(state);
    done += part;
  }

  for (int i = 0; i < slot_count; ++i) ExecDropSingleTupleTableSlot(slots[i]);
  FreeBulkInsertState(bulk);
  ExecCloseIndices(target);
  FreeExecutorState(state);
  table_close(relation, NoLock);
}

}  // namespace visage::pg
