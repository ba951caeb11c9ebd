// How callers wait for the batch that their record is in, and how the audit writer wakes all of them at once.
//
// A latch for each would cost the writer a kill() a caller, a fifth of its time, and the caller a signal to
// take in. Here one futex call wakes a whole batch. Batches under way differ in their number modulo kWords,
// so a batch's end wakes no caller of another one.
#pragma once

#include "pg/pg.h"

extern "C" {
#include "port/atomics.h"
}

namespace visage::pg {

struct BatchWait {
  static constexpr uint32 kWords = 4;
  pg_atomic_uint32 ended[kWords];  // how often a batch with this remainder has ended

  void init();
  // To be read before looking whether the record is settled; sleep() returns at once when a batch has ended
  // since.
  uint32 seen(uint32 batch) { return read(ended[batch % kWords]); }
  // Until the batch ends, a signal comes, or a while has passed: callers look at interrupts and go round. A
  // signal that comes just before it sleeps is noticed after that while. Ends the process when the postmaster
  // is gone.
  void sleep(uint32 batch, uint32 seen, long milliseconds);
  void wake(uint32 batch);
  void wake_all();

 private:
  static uint32 read(pg_atomic_uint32& word) {
    const uint32 value = pg_atomic_read_u32(&word);
    pg_read_barrier();
    return value;
  }
};

}  // namespace visage::pg
