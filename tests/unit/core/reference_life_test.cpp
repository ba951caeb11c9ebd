// When is a reference renewed from the probe of an accepted verification? [6.2e]
#include "core/reference/life.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace visage::reference {
namespace {

Compared original(double score) {
  return {.comparable = true, .adapted = false, .outdated = false, .score = score, .made_at = 10};
}
Compared adapted(double score, int64_t made_at) {
  return {.comparable = true, .adapted = true, .outdated = false, .score = score, .made_at = made_at};
}
Compared outdated(double score) {
  Compared out = original(score);
  out.outdated = true;
  return out;
}

Guards guards() {
  return {.adapts = true,
          .reprotects = true,
          .reaches_floors = true,
          .has_strict = true,
          .strict = 0.6,
          .has_anchor = true,
          .anchor = 0.5,
          .adapted_before = 100};
}

Plan plan(const std::vector<Compared>& references, const Guards& by = guards()) {
  return plan_renewal(references, by);
}

TEST(ReferenceLife, AStrongMatchWithTheOriginalIsAdaptedTo) {
  const Plan found = plan({original(0.55), original(0.7)});
  EXPECT_EQ(found.what, Renewal::kAdapt);
  EXPECT_EQ(found.anchor, 1u);
  EXPECT_FALSE(found.has_adapted);
  EXPECT_EQ(plan({original(0.6)}).what, Renewal::kAdapt) << "the threshold itself";
}

TEST(ReferenceLife, AWeakMatchIsNot) {
  EXPECT_EQ(plan({original(0.5999)}).what, Renewal::kNone);
  EXPECT_EQ(plan({}).what, Renewal::kNone);
  EXPECT_EQ(plan({original(std::numeric_limits<double>::quiet_NaN())}).what, Renewal::kNone);
}

// Poisoning: a capture that only the adapted reference knows is as far from the original as one may go.
TEST(ReferenceLife, DriftEndsWhereTheOriginalNoLongerMatches) {
  const Plan found = plan({original(0.5), adapted(0.9, 50)});
  EXPECT_EQ(found.what, Renewal::kAdapt);
  EXPECT_EQ(found.anchor, 0u);
  EXPECT_TRUE(found.has_adapted);
  EXPECT_EQ(found.adapted, 1u);
  EXPECT_EQ(plan({original(0.4999), adapted(0.9, 50)}).what, Renewal::kNone);
  EXPECT_EQ(plan({adapted(0.9, 50)}).what, Renewal::kNone) << "no original at all";
}

// By any number of steps: each is held against the original, never against the step before alone.
TEST(ReferenceLife, ManySmallStepsLeadNoFurtherThanOne) {
  double face = 1;  // how alike the original is what the attacker shows
  int adaptations = 0;
  for (int step = 0; step < 100; ++step, face -= 0.02)
    if (plan({original(face), adapted(0.98, 0)}).what == Renewal::kAdapt) {
      ++adaptations;
      EXPECT_GE(face, guards().anchor);
    }
  EXPECT_GT(adaptations, 10);
}

// What is accepted by an adapted reference must be like the original as well.
TEST(ReferenceLife, AnAdaptedReferenceDecidesOnlyWhereTheOriginalKnowsTheFace) {
  EXPECT_EQ(deciding_score(std::vector<Compared>{original(0.5), adapted(0.9, 1)}, true, 0.5), 0.9);
  EXPECT_EQ(deciding_score(std::vector<Compared>{original(0.4), adapted(0.9, 1)}, true, 0.5), 0.4);
  EXPECT_EQ(deciding_score(std::vector<Compared>{original(0.4), original(0.6), adapted(0.9, 1)}, true, 0.5),
            0.9);
  EXPECT_EQ(deciding_score(std::vector<Compared>{original(0.6), adapted(0.9, 1)}, false, 0), 0.6)
      << "no measured threshold for the anchor";
  EXPECT_EQ(deciding_score(std::vector<Compared>{adapted(0.9, 1)}, true, 0.5), -1);
  EXPECT_EQ(deciding_score(std::vector<Compared>{adapted(0.7, 1), original(0.8)}, true, 0.5), 0.8);
  EXPECT_EQ(deciding_score({}, true, 0.5), -1);
}

TEST(ReferenceLife, OnceAPeriod) {
  EXPECT_EQ(plan({original(0.9), adapted(0.9, 99)}).what, Renewal::kAdapt);
  EXPECT_EQ(plan({original(0.9), adapted(0.9, 100)}).what, Renewal::kNone);
}

TEST(ReferenceLife, AnotherModelsReferencesHaveNoSay) {
  Compared other = original(0.9);
  other.comparable = false;
  EXPECT_EQ(plan({other}).what, Renewal::kNone);
  Compared young = adapted(0.9, 100);
  young.comparable = false;
  EXPECT_EQ(plan({original(0.9), young}).what, Renewal::kAdapt);
}

TEST(ReferenceLife, NothingIsRenewedWithoutAMeasuredThresholdOrBelowTheFloors) {
  for (const bool old : {false, true}) {
    const std::vector<Compared> references = {old ? outdated(0.9) : original(0.9)};
    Guards by = guards();
    by.has_strict = false;
    EXPECT_EQ(plan(references, by).what, Renewal::kNone);
    by = guards();
    by.reaches_floors = false;
    EXPECT_EQ(plan(references, by).what, Renewal::kNone);
  }
  Guards by = guards();
  by.has_anchor = false;
  EXPECT_EQ(plan({original(0.9)}, by).what, Renewal::kNone);
}

TEST(ReferenceLife, OffIsOff) {
  Guards by = guards();
  by.adapts = false;
  EXPECT_EQ(plan({original(0.9)}, by).what, Renewal::kNone);
  by.reprotects = false;
  EXPECT_EQ(plan({outdated(0.9)}, by).what, Renewal::kNone);
}

// The best of those under an older root, and only by its own score.
TEST(ReferenceLife, AnOriginalUnderAnOlderRootIsMadeAnew) {
  const Plan found = plan({original(0.95), outdated(0.7), outdated(0.8)});
  EXPECT_EQ(found.what, Renewal::kReprotect);
  EXPECT_EQ(found.anchor, 2u);
  Guards by = guards();
  by.adapts = false;
  EXPECT_EQ(plan({original(0.95), outdated(0.59)}, by).what, Renewal::kNone);
}

// An adapted reference never becomes an original.
TEST(ReferenceLife, AnAdaptedReferenceIsNotReprotected) {
  Compared old = adapted(0.95, 99);
  old.outdated = true;
  Guards by = guards();
  by.adapts = false;
  EXPECT_EQ(plan({original(0.55), old}, by).what, Renewal::kNone);
}

}  // namespace
}  // namespace visage::reference
