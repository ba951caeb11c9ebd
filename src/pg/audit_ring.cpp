#include "pg/audit_ring.h"

#include "pg/shared.h"

extern "C" {
#include "storage/proc.h"
}

namespace visage::pg {
namespace {

AuditRing* ring = nullptr;
Slot* slots = nullptr;

uint32 slot_count() {
  return static_cast<uint32>(MaxBackends);
}

Size ring_bytes() {
  return MAXALIGN(add_size(offsetof(AuditRing, places), mul_size(slot_count(), sizeof(uint32))));
}

}  // namespace

Size audit_ring_size() {
  return add_size(ring_bytes(), MAXALIGN(mul_size(slot_count(), sizeof(Slot))));
}

void audit_ring_startup() {
  bool found = false;
  ring = static_cast<AuditRing*>(ShmemInitStruct("pg_visage audit ring", ring_bytes(), &found));
  slots = static_cast<Slot*>(
      ShmemInitStruct("pg_visage audit slots", mul_size(slot_count(), sizeof(Slot)), &found));
  if (found) return;
  memset(static_cast<void*>(ring), 0, ring_bytes());
  pg_atomic_init_u32(&ring->writer_state, static_cast<uint32_t>(WriterState::kNotStarted));
  ConditionVariableInit(&ring->writer_changed);
  ring->ends.init();
  memset(static_cast<void*>(slots), 0, mul_size(slot_count(), sizeof(Slot)));
  for (uint32 i = 0; i < slot_count(); ++i) {
    pg_atomic_init_u32(&slots[i].state, static_cast<uint32_t>(SlotState::kIdle));
    ConditionVariableInit(&slots[i].settled);
  }
}

AuditRing& audit_ring() {
  return *ring;
}

Slot& slot_at(uint32 place) {
  return slots[place];
}

uint32 own_place() {
  return static_cast<uint32>(visage_proc_number());
}

void enqueue(uint32 place) {
  Slot& slot = slots[place];
  slot.queued_at = GetCurrentTimestamp();
  LWLockAcquire(shared_lock(SharedLock::kAudit), LW_EXCLUSIVE);
  slot.batch = ring->next_batch;
  slot.set(SlotState::kQueued);
  ring->places[(ring->first + ring->count++) % slot_count()] = place;
  Latch* const latch = ring->writer_latch;
  LWLockRelease(shared_lock(SharedLock::kAudit));
  if (latch != nullptr) SetLatch(latch);
}

int dequeue(uint32* places, int limit, uint32& batch) {
  int taken = 0;
  LWLockAcquire(shared_lock(SharedLock::kAudit), LW_EXCLUSIVE);
  for (; taken < limit && ring->count > 0; ++taken) {
    places[taken] = ring->places[ring->first];
    slots[places[taken]].set(SlotState::kTaken);
    ring->first = (ring->first + 1) % slot_count();
    --ring->count;
  }
  batch = ring->next_batch;
  if (taken > 0) ++ring->next_batch;
  // Those that were too many are woken with this batch, and then sleep on in theirs.
  for (uint32 i = 0; i < ring->count; ++i)
    slots[ring->places[(ring->first + i) % slot_count()]].batch = ring->next_batch;
  LWLockRelease(shared_lock(SharedLock::kAudit));
  return taken;
}

void settle_slot(Slot& slot, SlotState state) {
  slot.set(state);
  ConditionVariableBroadcast(&slot.settled);
}

}  // namespace visage::pg
