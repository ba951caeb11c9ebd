// What bench-accuracy says of its scores: rates, thresholds, intervals and bounds against values worked out
// by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "bench/accuracy_rates.h"

namespace visage::bench {
namespace {

// Three people: 0 has two claims and two probes, the others one each, so 4 x 4 - (4 + 1 + 1) = 10 impostor
// attempts. Eight genuine attempts, one of them without a score.
Scores small() {
  Scores out;
  out.genuine = {{0.1f, 0}, {0.3f, 2}, {0.5f, 0}, {0.6f, 1}, {0.7f, 0}, {0.8f, 0}, {0.9f, 2}};
  out.impostors = {{0.65f, 0, 1}, {0.5f, 1, 2}, {0.5f, 2, 0}, {0.2f, 1, 0}};
  out.claims = {2, 1, 1};
  out.probes = {2, 1, 1};
  out.genuine_attempts = {4, 2, 2};
  out.not_scored = {0, 1, 0};
  return out;
}
const Weights kAll = {1, 1, 1};

// `count` people with one claim, one probe and `attempts` genuine attempts each, which all score 0.1 for the
// first `rejected` people and 0.9 for the others. Impostors score 0.
Scores uniform(size_t count, size_t attempts, size_t rejected) {
  Scores out;
  for (size_t person = 0; person < count; ++person)
    for (size_t i = 0; i < attempts; ++i)
      out.genuine.push_back({person < rejected ? 0.1f : 0.9f, static_cast<uint32_t>(person)});
  std::sort(out.genuine.begin(), out.genuine.end(),
            [](const Genuine& a, const Genuine& b) { return a.score < b.score; });
  out.claims.assign(count, 1);
  out.probes.assign(count, 1);
  out.genuine_attempts.assign(count, attempts);
  out.not_scored.assign(count, 0);
  return out;
}

TEST(AccuracyRates, CountsAtAThreshold) {
  const Counts at = count_at(small(), 0.5, kAll);
  EXPECT_EQ(at.genuine, 8);
  EXPECT_EQ(at.rejects, 3) << "0.1, 0.3 and the one without a score; 0.5 is accepted";
  EXPECT_EQ(at.impostors, 10);
  EXPECT_EQ(at.accepts, 3) << "0.65 and both of 0.5";
  EXPECT_DOUBLE_EQ(at.frr(), 0.375);
  EXPECT_DOUBLE_EQ(at.far(), 0.3);
  const Counts above = count_at(small(), 1, kAll);
  EXPECT_EQ(above.rejects, 8);
  EXPECT_EQ(above.accepts, 0);
}

TEST(AccuracyRates, UnorderedPairsAreCountedOnce) {
  Scores scores = small();
  scores.unordered = true;
  EXPECT_EQ(count_at(scores, 0.5, kAll).impostors, 5);
}

// Person 0 twice, 1 not at all: 2·2·1 attempts of 0 on 2 and as many the other way round.
TEST(AccuracyRates, WeightsCountPeople) {
  const Counts at = count_at(small(), 0.5, {2, 0, 1});
  EXPECT_EQ(at.genuine, 10);
  EXPECT_EQ(at.rejects, 3) << "0.1 twice, 0.3 once";
  EXPECT_EQ(at.impostors, 8);
  EXPECT_EQ(at.accepts, 2) << "2 against 0, twice; the others need person 1";
}

TEST(AccuracyRates, ThresholdIsTheLeastThatKeepsTheRate) {
  const Scores scores = small();
  const auto accepted = [&](double far) {
    return count_at(scores, threshold_at(scores, far, kAll), kAll).accepts;
  };
  EXPECT_FLOAT_EQ(static_cast<float>(threshold_at(scores, 0.1, kAll)), 0.5f);
  EXPECT_EQ(accepted(0.05), 0);
  EXPECT_EQ(accepted(0.1), 1);
  EXPECT_EQ(accepted(0.2), 1) << "two equal scores are accepted together or not at all";
  EXPECT_EQ(accepted(0.3), 3);
  EXPECT_EQ(threshold_for(scores, 10, kAll), -1);
}

TEST(AccuracyRates, ResampleDrawsAsManyPeopleFromThoseCounted) {
  std::mt19937_64 random(1);
  const Weights from = {1, 0, 1, 3, 1};
  Weights sum(from.size(), 0);
  for (int i = 0; i < 4000; ++i) {
    const Weights drawn = resample(from, random);
    EXPECT_EQ(std::accumulate(drawn.begin(), drawn.end(), 0.0), 4);
    for (size_t k = 0; k < sum.size(); ++k) sum[k] += drawn[k] / 4000;
  }
  EXPECT_EQ(sum[1], 0);
  for (size_t k : {0u, 2u, 3u, 4u}) EXPECT_NEAR(sum[k], 1, 0.05) << "each is as likely";
}

TEST(AccuracyRates, IntervalIsTheMiddle95Percent) {
  std::vector<double> values(1000);
  std::iota(values.begin(), values.end(), 0);
  std::reverse(values.begin(), values.end());
  EXPECT_EQ(interval_of(values).low, 25);
  EXPECT_EQ(interval_of(values).high, 975);
  EXPECT_EQ(interval_of({7}).low, 7);
  EXPECT_EQ(interval_of({7}).high, 7);
}

// One attempt a person: p ± 1.96·sqrt(p(1 - p)/n) = 0.1 ± 0.0294.
TEST(AccuracyRates, BootstrapOfIndependentAttemptsIsBinomial) {
  const Rate rate = rate_at(uniform(400, 1, 40), 0.5);
  EXPECT_DOUBLE_EQ(rate.counts.frr(), 0.1);
  EXPECT_NEAR(rate.frr.low, 0.0706, 0.006);
  EXPECT_NEAR(rate.frr.high, 0.1294, 0.006);
}

// As many attempts, but ten a person that end alike: the interval is that of 40 people, 0.1 ± 0.093.
TEST(AccuracyRates, BootstrapIsOverPeopleNotAttempts) {
  const Rate rate = rate_at(uniform(40, 10, 4), 0.5);
  EXPECT_DOUBLE_EQ(rate.counts.frr(), 0.1);
  EXPECT_NEAR(rate.frr.low, 0.025, 0.026);
  EXPECT_NEAR(rate.frr.high, 0.2, 0.026);
}

TEST(AccuracyRates, EachResampleHasItsOwnThreshold) {
  // All genuine scores are 0.5, and one impostor of 90 in all scores 0.6: where a resample has that pair more
  // than once among its attempts, FAR 0.012 needs a threshold that rejects everybody.
  Scores scores = uniform(10, 1, 0);
  for (Genuine& attempt : scores.genuine) attempt.score = 0.5f;
  scores.impostors = {{0.6f, 0, 1}};
  const Rate rate = rates(scores, {0.012}).front();
  EXPECT_EQ(rate.counts.frr(), 0);
  EXPECT_EQ(rate.frr.low, 0);
  EXPECT_EQ(rate.frr.high, 1);
}

TEST(AccuracyRates, RuleOf30) {
  // 100 people: 9,900 impostor attempts, each of two pictures in two of them.
  Scores scores = uniform(100, 1, 60);
  scores.repeats = 2;
  EXPECT_TRUE(rates(scores, {60.0 / 9900}).front().far_supported);
  EXPECT_FALSE(rates(scores, {59.0 / 9900}).front().far_supported);
  EXPECT_TRUE(rate_at(scores, 0.5).frr_supported);
  EXPECT_FALSE(rate_at(uniform(100, 1, 29), 0.5).frr_supported);
  EXPECT_TRUE(rate_at(uniform(100, 1, 30), 0.5).frr_supported);
  scores = uniform(100, 1, 59);
  scores.repeats = 2;
  EXPECT_FALSE(rate_at(scores, 0.5).frr_supported);
}

// Half the 95 % quantile of chi-squared with 2(n + 1) degrees of freedom, from printed tables.
TEST(AccuracyRates, PoissonLimit) {
  EXPECT_NEAR(poisson_limit(0), 2.9957, 1e-4);
  EXPECT_NEAR(poisson_limit(1), 4.7439, 1e-4);
  EXPECT_NEAR(poisson_limit(3), 7.7537, 1e-4);
  EXPECT_NEAR(poisson_limit(10), 16.9622, 1e-4);
  EXPECT_NEAR(poisson_limit(30), 40.6905, 1e-3);
}

TEST(AccuracyRates, BoundCountsPeopleWhereErrorsAreFew) {
  const auto bound = [](const Scores& scores) { return frr_bound(scores, rate_at(scores, 0.5)); };
  EXPECT_NEAR(bound(uniform(100, 5, 0)), 2.9957 / 100, 1e-5) << "rule of three over people";
  EXPECT_NEAR(bound(uniform(100, 5, 2)), 6.2958 / 100, 1e-5) << "ten errors, but of two people";
  Scores scores = uniform(100, 5, 0);
  scores.not_scored[7] = 1;
  EXPECT_NEAR(bound(scores), 4.7439 / 100, 1e-5) << "an attempt without a score is an error";
  EXPECT_EQ(bound(uniform(2, 1, 0)), 1);
}

TEST(AccuracyRates, BoundIsTheGreaterOfIntervalAndPoissonLimit) {
  // 40 of 400 attempts: Poisson's limit is 52.07/400, the bootstrap's end about 0.129.
  const Scores independent = uniform(400, 1, 40);
  EXPECT_NEAR(frr_bound(independent, rate_at(independent, 0.5)), 52.07 / 400, 0.003);
  const Scores alike = uniform(40, 10, 4);
  const Rate rate = rate_at(alike, 0.5);
  EXPECT_EQ(frr_bound(alike, rate), rate.frr.high);
}

}  // namespace
}  // namespace visage::bench
