// Identifiers in a list that grows, in one memory context.
#pragma once

#include "core/base/bytes.h"
#include "pg/pg.h"

namespace visage::pg {

struct UuidList {
  Uuid* items;
  uint64 count;
  uint64 capacity;
  MemoryContext context;
};

// In the current memory context.
void begin_list(UuidList& list);
void add_to_list(UuidList& list, const Uuid& item);
// Ascending, each once.
void sort_list(UuidList& list);
inline bool uuid_before(const Uuid& a, const Uuid& b) {
  return memcmp(a.bytes, b.bytes, sizeof a.bytes) < 0;
}

}  // namespace visage::pg
