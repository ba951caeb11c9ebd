#include "pg/key_table.h"

extern "C" {
#include "common/hashfn.h"
#include "port/pg_bitutils.h"
}

namespace visage::pg {
namespace {

constexpr uint32 kFirstSlots = 1024;
constexpr uint32 kChunk = 128;  // entries that are allocated at once

struct Slot {
  uint32 hash;
  uint32 entry;  // its number from 1; 0 when the slot is free
};

}  // namespace

// At most half of the slots are taken; there are as many places for chunks as that needs.
struct KeyTable {
  MemoryContext context;
  uint64 seed;
  uint32 slot_count;  // a power of two
  uint32 count;
  Slot* slots;
  WrappedKey** chunks;
  uint32 next;    // the entry after the one that was found last
  bool in_order;  // that one was where `next` had pointed
};

namespace {

// Identifiers are random where we made them, but rows can be restored from anywhere: under a secret seed
// nobody chooses them so that they collide.
uint32 hash_of(const KeyTable* table, const Uuid& subject) {
  return static_cast<uint32>(hash_bytes_extended(subject.bytes, sizeof subject.bytes, table->seed));
}

void insert_slot(KeyTable* table, Slot slot) {
  const uint32 mask = table->slot_count - 1;
  uint32 at = slot.hash & mask;
  while (table->slots[at].entry != 0) at = (at + 1) & mask;
  table->slots[at] = slot;
}

WrappedKey* entry_at(const KeyTable* table, uint32 index) {
  return &table->chunks[index / kChunk][index % kChunk];
}

constexpr uint64 chunks_for(uint64 slot_count) {
  return slot_count / 2 / kChunk;
}

void* allocate(const KeyTable* table, Size size) {
  return MemoryContextAllocExtended(table->context, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

void grow(KeyTable* table) {
  Slot* old_slots = table->slots;
  WrappedKey** old_chunks = table->chunks;
  const uint32 old_count = table->slot_count;
  table->slot_count = 2 * old_count;
  table->slots = static_cast<Slot*>(allocate(table, sizeof(Slot) * table->slot_count));
  table->chunks =
      static_cast<WrappedKey**>(allocate(table, sizeof(WrappedKey*) * chunks_for(table->slot_count)));
  for (uint32 i = 0; i < old_count; ++i)
    if (old_slots[i].entry != 0) insert_slot(table, old_slots[i]);
  memcpy(table->chunks, old_chunks, sizeof(WrappedKey*) * chunks_for(old_count));
  pfree(old_slots);
  pfree(old_chunks);
}

}  // namespace

KeyTable* create_key_table(MemoryContext parent) {
  const MemoryContext context = AllocSetContextCreate(parent, "pg_visage keys", ALLOCSET_DEFAULT_SIZES);
  auto* table = static_cast<KeyTable*>(MemoryContextAllocZero(context, sizeof(KeyTable)));
  table->context = context;
  if (!pg_strong_random(&table->seed, sizeof table->seed)) elog(ERROR, "could not generate a random seed");
  table->slot_count = kFirstSlots;
  table->slots = static_cast<Slot*>(allocate(table, sizeof(Slot) * kFirstSlots));
  table->chunks = static_cast<WrappedKey**>(allocate(table, sizeof(WrappedKey*) * chunks_for(kFirstSlots)));
  return table;
}

void delete_key_table(KeyTable* table) {
  MemoryContextDelete(table->context);
}

WrappedKey* next_key(KeyTable* table) {
  if (table->count == table->slot_count / 2) grow(table);
  WrappedKey*& chunk = table->chunks[table->count / kChunk];
  if (chunk == nullptr)
    chunk = static_cast<WrappedKey*>(MemoryContextAlloc(table->context, sizeof(WrappedKey) * kChunk));
  return entry_at(table, table->count);
}

void add_key(KeyTable* table) {
  const Uuid& subject = entry_at(table, table->count++)->subject;
  insert_slot(table, {hash_of(table, subject), table->count});
}

const WrappedKey* find_key(KeyTable* table, const Uuid& subject) {
  // While references come in the order of their keys, no slot is looked at; where they do not, no entry in
  // vain.
  if (table->in_order && table->next < table->count) {
    const WrappedKey* guess = entry_at(table, table->next);
    if (guess->subject == subject) {
      ++table->next;
      return guess;
    }
  }
  const uint32 hash = hash_of(table, subject);
  const uint32 mask = table->slot_count - 1;
  for (uint32 at = hash & mask; table->slots[at].entry != 0; at = (at + 1) & mask) {
    if (table->slots[at].hash != hash) continue;
    const uint32 index = table->slots[at].entry - 1;
    const WrappedKey* entry = entry_at(table, index);
    if (!(entry->subject == subject)) continue;
    table->in_order = index == table->next;
    table->next = index + 1;
    return entry;
  }
  return nullptr;
}

uint64 key_table_size(uint64 keys) {
  const uint64 slots = Max(uint64{kFirstSlots}, pg_nextpower2_64(Max(2 * keys, uint64{1})));
  const uint64 chunks = (keys + kChunk - 1) / kChunk;
  return slots * sizeof(Slot) + chunks_for(slots) * sizeof(WrappedKey*) +
         chunks * kChunk * sizeof(WrappedKey);
}

}  // namespace visage::pg
