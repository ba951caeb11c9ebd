#include "pg/batch_wait.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

extern "C" {
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/pmsignal.h"
#include "utils/wait_event.h"
}

namespace visage::pg {
namespace {

// How late a cancel is noticed at worst.
constexpr long kLongestSleep = 20;

// Words are in memory that processes share: not FUTEX_PRIVATE_FLAG.
void futex(pg_atomic_uint32& word, int operation, uint32 value, const timespec* timeout) {
  syscall(SYS_futex, const_cast<uint32*>(&word.value), operation, value, timeout, nullptr, 0);
}

}  // namespace

void BatchWait::init() {
  for (pg_atomic_uint32& word : ended) pg_atomic_init_u32(&word, 0);
}

void BatchWait::sleep(uint32 batch, uint32 seen, long milliseconds) {
  const timespec timeout = {0, Min(milliseconds, kLongestSleep) * 1000000};
  pgstat_report_wait_start(PG_WAIT_EXTENSION);
  futex(ended[batch % kWords], FUTEX_WAIT, seen, &timeout);
  pgstat_report_wait_end();
  if (!PostmasterIsAlive()) proc_exit(1);
}

void BatchWait::wake(uint32 batch) {
  pg_atomic_uint32& word = ended[batch % kWords];
  pg_atomic_fetch_add_u32(&word, 1);
  futex(word, FUTEX_WAKE, INT_MAX, nullptr);
}

void BatchWait::wake_all() {
  for (uint32 batch = 0; batch < kWords; ++batch) wake(batch);
}

}  // namespace visage::pg
