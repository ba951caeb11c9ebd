// What the benchmarks of galleries have in common: how they end, and whose time they take.
#pragma once

#include <errno.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "core/base/status.h"

namespace visage::bench {

[[noreturn]] inline void fail(const char* why) {
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, why);
  std::exit(1);
}
inline void check(const Status& status) {
  if (!status.ok()) fail(status.message);
}

inline double clock_ms(clockid_t clock) {
  timespec now;
  if (clock_gettime(clock, &now) != 0) fail("there is no clock");
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}
// Of this thread's own time: what a busy machine gives to others is nobody's here.
inline double thread_ms() {
  return clock_ms(CLOCK_THREAD_CPUTIME_ID);
}

}  // namespace visage::bench
