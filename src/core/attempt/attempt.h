// The rules of attempt limits: when a counter admits an attempt, and what an attempt's end does to it.
// [8.2.5d]
//
// Two limits, either of which may be absent:
// - consecutive failures, which a success forgets. After `free_failures` each further attempt waits, longer
//   every time, and goes alone; at `hard_stop` only an unlock helps. After NIST SP 800-63B-4, 3.2.3.
// - failures within a period, which no success forgets: who has one accepted face could otherwise put an
//   accept between every few questions. The period begins with its first failure.
//
// An attempt is held before anything is scored and settled when its verdict is known. In between it counts as
// a failure, so that parallel callers together get no more than one caller would. Times are microseconds of
// any one clock.
#pragma once

#include <cstdint>

namespace visage::attempt {

// 0 means that there is no such limit.
struct Limits {
  uint32_t free_failures;
  int64_t first_delay;
  int64_t max_delay;
  uint32_t hard_stop;
  uint32_t period_failures;
  int64_t period;

  bool limits_consecutive() const { return free_failures != 0 || hard_stop != 0; }
  bool limits_period() const { return period_failures != 0; }
  bool any() const { return limits_consecutive() || limits_period(); }
};

// What is stored of a counter.
struct Failures {
  uint32_t consecutive;
  uint32_t in_period;
  int64_t period_start;  // means nothing while in_period is 0
  int64_t last_failure;  // means nothing before the first

  friend bool operator==(const Failures&, const Failures&) = default;
};

struct Counter {
  Failures failures;
  uint32_t held;
};

enum class Result : uint8_t {
  kRelease,  // nothing was scored
  kSuccess,
  kFailure,
  kUnlock,  // sets the counter back
};

inline constexpr int64_t kOnlyUnlock = -1;
// When only attempts in flight stand in the way: they end within milliseconds.
inline constexpr int64_t kInFlightDelay = 1000000;

// The wait that follows this many consecutive failures; 0 for none.
int64_t delay_after(uint32_t consecutive, const Limits& limits);

// May one more attempt be held? If not, `retry_after` is for how long, or kOnlyUnlock. A clock that went back
// restarts the waits: they end late rather than early, and not later than their own length.
bool may_hold(Counter& counter, const Limits& limits, int64_t now, int64_t& retry_after);

// Whoever holds has asked may_hold in the same critical section, or unlocks.
void hold(Counter& counter);

void settle(Counter& counter, const Limits& limits, Result result, int64_t now);

inline constexpr int64_t kNotLocked = INT64_MIN;
inline constexpr int64_t kLockedForEver = INT64_MAX;
// Until when these failures admit nothing, as people are shown it.
int64_t locked_until(const Failures& failures, const Limits& limits);

}  // namespace visage::attempt
