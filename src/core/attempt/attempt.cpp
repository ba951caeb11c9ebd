#include "core/attempt/attempt.h"

#include <algorithm>

namespace visage::attempt {
namespace {

constexpr uint32_t kMostFailures = INT32_MAX;  // what the table's integer holds

void count_one(uint32_t& failures) {
  if (failures < kMostFailures) ++failures;
}

// Times ahead of the clock are from before it went back. How long ago they really were cannot be known, so
// the waits that they begin start anew.
void restart_from(Failures& failures, int64_t now) {
  failures.last_failure = std::min(failures.last_failure, now);
  failures.period_start = std::min(failures.period_start, now);
}

// a + b without overflow, b not negative.
int64_t later(int64_t a, int64_t b) {
  int64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? kLockedForEver : sum;
}

bool period_runs(const Failures& failures, const Limits& limits, int64_t now) {
  return failures.in_period != 0 && now < later(failures.period_start, limits.period);
}

}  // namespace

int64_t delay_after(uint32_t consecutive, const Limits& limits) {
  if (limits.free_failures == 0 || consecutive < limits.free_failures) return 0;
  const uint32_t doublings = consecutive - limits.free_failures;
  if (doublings >= 63 || limits.first_delay > limits.max_delay >> doublings) return limits.max_delay;
  return limits.first_delay << doublings;
}

bool may_hold(Counter& counter, const Limits& limits, int64_t now, int64_t& retry_after) {
  Failures& failures = counter.failures;
  restart_from(failures, now);
  retry_after = 0;
  if (limits.hard_stop != 0) {
    if (failures.consecutive >= limits.hard_stop) {
      retry_after = kOnlyUnlock;
      return false;
    }
    if (counter.held >= limits.hard_stop - failures.consecutive) retry_after = kInFlightDelay;
  }
  if (limits.free_failures != 0) {
    if (failures.consecutive < limits.free_failures) {
      if (counter.held >= limits.free_failures - failures.consecutive)
        retry_after = std::max(retry_after, kInFlightDelay);
    } else {
      const int64_t end = later(failures.last_failure, delay_after(failures.consecutive, limits));
      if (now < end)
        retry_after = std::max(retry_after, end - now);
      else if (counter.held != 0)
        retry_after = std::max(retry_after, kInFlightDelay);
    }
  }
  if (limits.limits_period()) {
    const uint32_t in_period = period_runs(failures, limits, now) ? failures.in_period : 0;
    if (in_period >= limits.period_failures)
      retry_after = std::max(retry_after, later(failures.period_start, limits.period) - now);
    else if (counter.held >= limits.period_failures - in_period)
      retry_after = std::max(retry_after, kInFlightDelay);
  }
  return retry_after == 0;
}

void hold(Counter& counter) {
  ++counter.held;
}

void settle(Counter& counter, const Limits& limits, Result result, int64_t now) {
  if (counter.held != 0) --counter.held;
  Failures& failures = counter.failures;
  switch (result) {
    case Result::kRelease:
      return;
    case Result::kSuccess:
      // Of two attempts in flight the other may have been the one that reached the hard stop.
      if (limits.hard_stop == 0 || failures.consecutive < limits.hard_stop) failures.consecutive = 0;
      return;
    case Result::kFailure:
      restart_from(failures, now);
      if (limits.limits_consecutive()) count_one(failures.consecutive);
      if (limits.limits_period()) {
        if (!period_runs(failures, limits, now)) {
          failures.period_start = now;
          failures.in_period = 0;
        }
        count_one(failures.in_period);
      }
      failures.last_failure = now;
      return;
    case Result::kUnlock:
      failures.consecutive = 0;
      failures.in_period = 0;
      return;
  }
}

int64_t locked_until(const Failures& failures, const Limits& limits) {
  if (limits.hard_stop != 0 && failures.consecutive >= limits.hard_stop) return kLockedForEver;
  int64_t until = kNotLocked;
  if (const int64_t delay = delay_after(failures.consecutive, limits); delay != 0)
    until = later(failures.last_failure, delay);
  if (limits.limits_period() && failures.in_period >= limits.period_failures)
    until = std::max(until, later(failures.period_start, limits.period));
  return until;
}

}  // namespace visage::attempt
