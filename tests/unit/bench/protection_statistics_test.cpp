// What bench-protection sums its attacks up by: D_sys, means with intervals, bounds, degrees of freedom,
// against values worked out by hand.
#include <gtest/gtest.h>

#include <cmath>

#include "bench/protection_dsys.h"
#include "bench/protection_linkage.h"
#include "bench/protection_report.h"

namespace visage::bench::protection {
namespace {

// A hundred bins of width 1 from 0 to 100. Bin 20 has mated scores only: D = 1 and p = 1/2. Bin 50 has 1/2
// and 1/4: D = (2 - 1)/(2 + 1). Together 1/2 + 1/2·1/3.
TEST(ProtectionDsys, WorkedExample) {
  const Linkability out = linkability({20.5, 20.5, 50.5, 50.5}, {0, 100, 50.5, 60.5});
  EXPECT_NEAR(out.dsys, 2.0 / 3, 1e-12);
  EXPECT_NEAR(out.mated.density[20], 0.5, 1e-12);
  EXPECT_NEAR(out.non_mated.density[50], 0.25, 1e-12);
  EXPECT_NEAR(out.non_mated.density[99], 0.25, 1e-12) << "the highest score is in the last bin";
}

TEST(ProtectionDsys, NothingToFindIsZeroAndEverythingIsOne) {
  EXPECT_EQ(linkability({1, 2, 3}, {1, 2, 3}).dsys, 0);
  EXPECT_NEAR(linkability({20.5, 30.5}, {0, 100}).dsys, 1, 1e-12);
  EXPECT_EQ(linkability({50.5}, {0, 50.5, 50.5, 100}).non_mated.low, 0);
}

// Where fewer mated than non-mated scores are, nothing is linked, whichever way the scores run.
TEST(ProtectionDsys, OnlyMatedMajoritiesCount) {
  EXPECT_NEAR(linkability({0, 100, 50.5, 50.5}, {50.5, 50.5, 50.5, 0}).dsys, 0.25 * 0.5, 1e-12)
      << "the last bin's quarter, halved by the trapezoid at the end";
}

TEST(ProtectionReport, MeanIsOfValuesAndItsIntervalOverPeople) {
  Values values;
  for (int i = 0; i < 4; ++i) values.add(1, 7);
  values.add(0, 9);
  const Mean out = mean_of(values);
  EXPECT_DOUBLE_EQ(out.mean, 0.8);
  EXPECT_EQ(out.n, 5u);
  EXPECT_EQ(out.people, 2u);
  EXPECT_EQ(out.low, 0) << "a quarter of the resamples has the second person twice";
  EXPECT_EQ(out.high, 1);
}

// 400 people, a tenth of them 1: 0.1 ± 1.96·sqrt(0.09/400).
TEST(ProtectionReport, IntervalOfIndependentPeopleIsBinomial) {
  Values values;
  for (size_t person = 0; person < 400; ++person) values.add(person % 10 == 0, person);
  const Mean out = mean_of(values);
  EXPECT_NEAR(out.low, 0.0706, 0.006);
  EXPECT_NEAR(out.high, 0.1294, 0.006);
}

TEST(ProtectionReport, OneValueOrNone) {
  Values values;
  EXPECT_EQ(mean_of(values).n, 0u);
  values.add(0.5, 1);
  EXPECT_EQ(mean_of(values).low, 0.5);
  EXPECT_EQ(mean_of(values).high, 0.5);
}

TEST(ProtectionReport, Median) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 2, 3}), 3) << "the upper of the two";
  EXPECT_TRUE(std::isnan(median({})));
}

// Poisson's limits: 3.00, 4.74 and 7.75 for none, one and three. A normal approximation would say 2.64 for
// one.
TEST(ProtectionReport, UpperBoundOfARareEvent) {
  EXPECT_NEAR(upper_bound(0, 1000), 2.9957e-3, 1e-6);
  EXPECT_NEAR(upper_bound(1, 1000), 4.7439e-3, 1e-6);
  EXPECT_NEAR(upper_bound(3, 2233), 7.7537 / 2233, 1e-6);
  EXPECT_EQ(upper_bound(2, 2), 1);
}

// Distances 0.4 and 0.6: p = 0.5, s² = 0.01, so 0.25/0.01.
TEST(ProtectionReport, DegreesOfFreedom) {
  Distances distances;
  distances.add(0.4);
  distances.add(0.6);
  EXPECT_DOUBLE_EQ(distances.mean(), 0.5);
  EXPECT_NEAR(distances.variance(), 0.01, 1e-12);
  EXPECT_NEAR(distances.degrees_of_freedom(), 25, 1e-9);
}

TEST(ProtectionLinkage, HammingDistanceIsAShareOfBits) {
  const uint8_t a[] = {0xFF, 0x00}, b[] = {0x0F, 0x00};
  EXPECT_EQ(hamming(a, b), 0.25);
  EXPECT_EQ(hamming(a, a), 0);
}

}  // namespace
}  // namespace visage::bench::protection
