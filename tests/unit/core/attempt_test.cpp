// Attempt limits: failures are limited, and past the limit a control acts. [8.2.5d]
#include "core/attempt/attempt.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

namespace visage::attempt {
namespace {

constexpr int64_t kSecond = 1000000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kDay = 24 * 60 * kMinute;
constexpr int64_t kNow = 1000 * kDay;

// As the shipped rows have them, without liveness.
constexpr Limits kSubject = {5, 30 * kSecond, 60 * kMinute, 50, 50, 30 * kDay};
constexpr Limits kConsecutive = {5, 30 * kSecond, 60 * kMinute, 50, 0, 0};
constexpr Limits kAddress = {0, 0, 0, 0, 100, 10 * kMinute};

// What may_hold answers: 0 when it admits.
int64_t wait(Counter& counter, const Limits& limits, int64_t now) {
  int64_t retry_after = 0;
  const bool admitted = may_hold(counter, limits, now, retry_after);
  EXPECT_EQ(admitted, retry_after == 0);
  return retry_after;
}

bool try_hold(Counter& counter, const Limits& limits, int64_t now) {
  if (wait(counter, limits, now) != 0) return false;
  hold(counter);
  return true;
}

// Holds and settles; false when not admitted.
bool attempt(Counter& counter, const Limits& limits, Result result, int64_t now) {
  if (!try_hold(counter, limits, now)) return false;
  settle(counter, limits, result, now);
  return true;
}

void fail(Counter& counter, const Limits& limits, int times, int64_t now) {
  for (int i = 0; i < times; ++i) ASSERT_TRUE(attempt(counter, limits, Result::kFailure, now)) << i;
}

TEST(Attempt, FiveFailuresThenGrowingDelays) {
  Counter counter = {};
  fail(counter, kSubject, 5, kNow);
  int64_t now = kNow;
  for (const int64_t seconds : {30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600}) {
    EXPECT_EQ(wait(counter, kSubject, now), seconds * kSecond);
    EXPECT_EQ(wait(counter, kSubject, now + seconds * kSecond - 1), 1);
    EXPECT_EQ(locked_until(counter.failures, kSubject), now + seconds * kSecond);
    now += seconds * kSecond;
    ASSERT_TRUE(attempt(counter, kSubject, Result::kFailure, now));
  }
}

TEST(Attempt, AfterTheDelayOneAtATime) {
  Counter counter = {};
  fail(counter, kSubject, 5, kNow);
  const int64_t later = kNow + 30 * kSecond;
  ASSERT_TRUE(try_hold(counter, kSubject, later));
  EXPECT_EQ(wait(counter, kSubject, later), kInFlightDelay);
  settle(counter, kSubject, Result::kRelease, later);
  EXPECT_EQ(wait(counter, kSubject, later), 0);
}

TEST(Attempt, SuccessSetsConsecutiveFailuresBack) {
  Counter counter = {};
  for (int round = 0; round < 12; ++round) {
    fail(counter, kSubject, 4, kNow);
    ASSERT_TRUE(attempt(counter, kSubject, Result::kSuccess, kNow));
    EXPECT_EQ(counter.failures.consecutive, 0u);
    EXPECT_EQ(locked_until(counter.failures, kSubject), kNotLocked);
  }
}

TEST(Attempt, WhatIsReleasedCountsNothing) {
  Counter counter = {};
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(attempt(counter, kSubject, Result::kRelease, kNow));
  EXPECT_EQ(counter.failures, Failures{});
  EXPECT_EQ(counter.held, 0u);
}

TEST(Attempt, HardStopUntilUnlocked) {
  Counter counter = {};
  int64_t now = kNow;
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(attempt(counter, kConsecutive, Result::kFailure, now));
    now += 60 * kMinute;
  }
  EXPECT_EQ(wait(counter, kConsecutive, now + 10000 * kDay), kOnlyUnlock);
  EXPECT_EQ(locked_until(counter.failures, kConsecutive), kLockedForEver);
  hold(counter);  // an unlock does not ask
  settle(counter, kConsecutive, Result::kUnlock, now);
  EXPECT_EQ(wait(counter, kConsecutive, now), 0);
  EXPECT_EQ(counter.failures.consecutive, 0u);
}

// Who has one accepted face could send it before every fifth question.
TEST(Attempt, SuccessesDoNotLiftTheLimitOfThePeriod) {
  Counter counter = {};
  int64_t now = kNow;
  int failures = 0;
  while (wait(counter, kSubject, now) == 0) {
    ASSERT_TRUE(attempt(counter, kSubject, Result::kFailure, now));
    if (++failures % 4 == 0) {
      now += kSecond;
      ASSERT_TRUE(attempt(counter, kSubject, Result::kSuccess, now));
    }
  }
  EXPECT_EQ(failures, 50);
  EXPECT_EQ(wait(counter, kSubject, now), kNow + 30 * kDay - now);
  EXPECT_EQ(locked_until(counter.failures, kSubject), kNow + 30 * kDay);
  EXPECT_EQ(wait(counter, kSubject, kNow + 30 * kDay), 0);
}

TEST(Attempt, PeriodBeginsWithItsFirstFailureAndEnds) {
  Counter counter = {};
  fail(counter, kAddress, 99, kNow);
  fail(counter, kAddress, 1, kNow + 9 * kMinute);
  EXPECT_EQ(wait(counter, kAddress, kNow + 9 * kMinute), kMinute);
  ASSERT_TRUE(attempt(counter, kAddress, Result::kSuccess, kNow + 10 * kMinute));
  fail(counter, kAddress, 100, kNow + 10 * kMinute);
  EXPECT_EQ(wait(counter, kAddress, kNow + 10 * kMinute), 10 * kMinute);
}

TEST(Attempt, WithoutLimitsNothingIsCounted) {
  Counter counter = {};
  constexpr Limits kNone = {};
  EXPECT_FALSE(kNone.any());
  fail(counter, kNone, 1000, kNow);
  EXPECT_EQ(counter.failures.consecutive, 0u);
  EXPECT_EQ(counter.failures.in_period, 0u);
}

TEST(Attempt, APolicyThatChangesAppliesAtOnce) {
  Counter counter = {};
  fail(counter, kConsecutive, 5, kNow);
  constexpr Limits kWithLiveness = {10, 30 * kSecond, 60 * kMinute, 100, 0, 0};
  EXPECT_EQ(wait(counter, kWithLiveness, kNow), 0);
  fail(counter, kWithLiveness, 5, kNow);
  EXPECT_EQ(wait(counter, kWithLiveness, kNow), 30 * kSecond);
  EXPECT_EQ(wait(counter, kConsecutive, kNow), 30 * 32 * kSecond);
}

TEST(Attempt, AClockThatGoesBackNeverEndsAWaitEarly) {
  for (const int64_t back : {int64_t{1}, kSecond, kDay, 10000 * kDay}) {
    Counter counter = {};
    fail(counter, kConsecutive, 5, kNow);
    const int64_t now = kNow - back;
    // The whole wait from here on, but no more: a clock that was years ahead locks nobody out for years.
    EXPECT_EQ(wait(counter, kConsecutive, now), 30 * kSecond);
    EXPECT_EQ(wait(counter, kConsecutive, now + 29 * kSecond), kSecond);
    EXPECT_EQ(wait(counter, kConsecutive, now + 30 * kSecond), 0);

    Counter address = {};
    fail(address, kAddress, 100, kNow);
    EXPECT_EQ(wait(address, kAddress, now), 10 * kMinute);
    EXPECT_EQ(wait(address, kAddress, now + 10 * kMinute), 0);
  }
}

TEST(Attempt, ExtremeNumbersDoNotOverflow) {
  constexpr Limits kExtreme = {1, INT64_MAX, INT64_MAX, UINT32_MAX, UINT32_MAX, INT64_MAX};
  Counter counter = {{INT32_MAX, INT32_MAX, kNow, kNow}, 0};
  EXPECT_EQ(wait(counter, kExtreme, kNow), kLockedForEver - kNow);
  hold(counter);
  settle(counter, kExtreme, Result::kFailure, kNow);
  EXPECT_EQ(counter.failures.consecutive, static_cast<uint32_t>(INT32_MAX));
  EXPECT_EQ(counter.failures.in_period, static_cast<uint32_t>(INT32_MAX));
  settle(counter, kExtreme, Result::kRelease, kNow);
  EXPECT_EQ(counter.held, 0u);
  for (uint32_t failures = 0; failures < 200; ++failures)
    EXPECT_LE(delay_after(failures, kSubject), kSubject.max_delay);
}

// Callers that hold, settle and wait in any order. Returns the failures that were scored, by time.
std::deque<int64_t> storm(std::mt19937_64& random, const Limits& limits, int steps, double success,
                          int64_t longest_pause) {
  Counter counter = {};
  std::deque<int64_t> failures;
  int64_t now = kNow;
  uint32_t held = 0;
  const auto chance = [&](double probability) {
    return std::uniform_real_distribution<>(0, 1)(random) < probability;
  };
  for (int step = 0; step < steps; ++step) {
    if (chance(0.1)) now += std::uniform_int_distribution<int64_t>(0, longest_pause)(random);
    if (chance(0.6)) {
      if (try_hold(counter, limits, now)) ++held;
    } else if (held > 0) {
      const Result result = chance(success) ? Result::kSuccess
                            : chance(0.2)   ? Result::kRelease
                                            : Result::kFailure;
      settle(counter, limits, result, now);
      --held;
      if (result == Result::kFailure) failures.push_back(now);
    }
    EXPECT_EQ(counter.held, held);
    // What is in flight can become a failure: even then no limit is passed.
    if (limits.hard_stop != 0) {
      EXPECT_LE(counter.failures.consecutive + held, limits.hard_stop);
    }
    if (limits.free_failures != 0) {
      const bool freely = counter.failures.consecutive + held <= limits.free_failures;
      EXPECT_TRUE(freely || held <= 1);
    }
  }
  return failures;
}

TEST(AttemptProperty, ParallelGuessersGetNoMoreThanOne) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 300; ++round) {
    // No time passes: what is free is all that there is.
    EXPECT_LE(storm(random, kSubject, 400, 0, 0).size(), 5u);
    EXPECT_LE(storm(random, kAddress, 800, 0.3, 0).size(), 100u);
  }
}

TEST(AttemptProperty, TheHardStopHoldsHoweverLongItTakes) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 100; ++round) {
    EXPECT_EQ(storm(random, kConsecutive, 4000, 0, 2 * 60 * kMinute).size(), 50u);
  }
}

TEST(AttemptProperty, NoSpanOfAPeriodHoldsMoreThanTwiceItsLimit) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 100; ++round) {
    const std::deque<int64_t> failures = storm(random, kAddress, 4000, 0.3, kMinute);
    size_t most = 0;
    for (size_t first = 0, last = 0; last < failures.size(); ++last) {
      while (failures[last] - failures[first] >= kAddress.period) ++first;
      most = std::max(most, last - first + 1);
    }
    EXPECT_LE(most, 2u * kAddress.period_failures);
  }
}

TEST(AttemptProperty, DelaysAreKeptBetweenConsecutiveFailures) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 100; ++round) {
    const std::deque<int64_t> failures = storm(random, kConsecutive, 4000, 0, 10 * kMinute);
    for (size_t i = 5; i < failures.size(); ++i)
      EXPECT_GE(failures[i] - failures[i - 1], delay_after(static_cast<uint32_t>(i), kConsecutive));
  }
}

}  // namespace
}  // namespace visage::attempt
