// Wrapped keys of many subjects by subject, for scans: dense entries in the order they came in, and an index
// of eight bytes a slot. References and keys are mostly stored in the order of registration, so a scan of
// references walks the entries forward, which is found out before the index is asked.
#pragma once

#include "core/keys/subject_key.h"
#include "pg/pg.h"

namespace visage::pg {

struct WrappedKey {
  Uuid subject;
  uint32_t size;
  uint8_t bytes[keys::kMaxWrappedSize];

  Bytes view() const { return {bytes, size}; }
};

struct KeyTable;

// In a memory context of its own below `parent`; delete_key_table() or the parent's end frees it.
KeyTable* create_key_table(MemoryContext parent);
void delete_key_table(KeyTable* table);

// Room for one more key, which the caller fills and then adds. Valid until the next call.
WrappedKey* next_key(KeyTable* table);
void add_key(KeyTable* table);

// Null when there is none.
const WrappedKey* find_key(KeyTable* table, const Uuid& subject);

// Bytes that a table of so many keys takes, at most.
uint64 key_table_size(uint64 keys);

}  // namespace visage::pg
