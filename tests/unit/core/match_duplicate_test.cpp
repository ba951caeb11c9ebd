// One person, one id: what a search of the store means for a registration. [6.2c]
#include "core/match/duplicate.h"

#include <gtest/gtest.h>

namespace visage::match {
namespace {

using Action = DuplicateAction;
using Finding = DuplicateFinding;

TEST(MatchDuplicate, ActionsHaveTheLabelsOfThePolicy) {
  Action action = Action::kOff;
  EXPECT_TRUE(find_action("refuse", action));
  EXPECT_EQ(action, Action::kRefuse);
  EXPECT_TRUE(find_action("off", action));
  EXPECT_EQ(action, Action::kOff);
  EXPECT_FALSE(find_action("", action));
  EXPECT_FALSE(find_action("Refuse", action));
}

// The more are compared, the less each may err.
TEST(MatchDuplicate, ComparisonsShareTheRateOfTheSearch) {
  EXPECT_DOUBLE_EQ(search_fmr(0.01, 1), 0.01);
  EXPECT_DOUBLE_EQ(search_fmr(0.01, 100000), 1e-7);
  EXPECT_EQ(search_fmr(0.01, 0), 0);
}

TEST(MatchDuplicate, NobodyToCompareWithIsNoDuplicate) {
  EXPECT_EQ(find_duplicate({.complete = true, .calibrated = false, .compared = 0, .best = 0, .threshold = 0}),
            Finding::kNone);
}

TEST(MatchDuplicate, TheThresholdItselfIsADuplicate) {
  DuplicateSearch search = {
      .complete = true, .calibrated = true, .compared = 9, .best = 0.5, .threshold = 0.5};
  EXPECT_EQ(find_duplicate(search), Finding::kDuplicate);
  search.best = 0.4999;
  EXPECT_EQ(find_duplicate(search), Finding::kNone);
}

// Without a measured threshold the highest score says nothing.
TEST(MatchDuplicate, WithoutCalibrationNothingIsDetermined) {
  EXPECT_EQ(find_duplicate({.complete = true, .calibrated = false, .compared = 9, .best = 1, .threshold = 0}),
            Finding::kUndetermined);
}

TEST(MatchDuplicate, AnIncompleteSearchFindsButDoesNotClear) {
  DuplicateSearch search = {
      .complete = false, .calibrated = true, .compared = 9, .best = 0.9, .threshold = 0.5};
  EXPECT_EQ(find_duplicate(search), Finding::kDuplicate);
  search.best = 0.1;
  EXPECT_EQ(find_duplicate(search), Finding::kUndetermined);
  search.compared = 0;
  EXPECT_EQ(find_duplicate(search), Finding::kUndetermined);
}

TEST(MatchDuplicate, WhoIsNotFoundRegistersWhateverThePolicy) {
  for (const Action action : {Action::kOff, Action::kAllow, Action::kFlag, Action::kRefuse}) {
    const DuplicateRuling ruling = rule_on(Finding::kNone, action, action, false);
    EXPECT_TRUE(ruling.registers);
    EXPECT_FALSE(ruling.opens_finding);
  }
}

TEST(MatchDuplicate, PolicyDecidesAboutADuplicate) {
  EXPECT_TRUE(rule_on(Finding::kDuplicate, Action::kAllow, Action::kRefuse, false).registers);
  EXPECT_FALSE(rule_on(Finding::kDuplicate, Action::kAllow, Action::kRefuse, false).opens_finding);
  EXPECT_TRUE(rule_on(Finding::kDuplicate, Action::kFlag, Action::kRefuse, false).registers);
  EXPECT_TRUE(rule_on(Finding::kDuplicate, Action::kFlag, Action::kRefuse, false).opens_finding);
  EXPECT_FALSE(rule_on(Finding::kDuplicate, Action::kRefuse, Action::kAllow, false).registers);
  EXPECT_TRUE(rule_on(Finding::kDuplicate, Action::kRefuse, Action::kAllow, false).opens_finding);
}

TEST(MatchDuplicate, WhatIsUndeterminedHasARuleOfItsOwn) {
  EXPECT_FALSE(rule_on(Finding::kUndetermined, Action::kFlag, Action::kRefuse, false).registers);
  EXPECT_FALSE(rule_on(Finding::kUndetermined, Action::kFlag, Action::kRefuse, false).opens_finding);
  EXPECT_TRUE(rule_on(Finding::kUndetermined, Action::kRefuse, Action::kFlag, false).opens_finding);
  EXPECT_TRUE(rule_on(Finding::kUndetermined, Action::kRefuse, Action::kAllow, false).registers);
}

// An allowance is used where it makes the difference alone, and leaves a finding behind.
TEST(MatchDuplicate, AnAllowanceIsUsedOnlyAgainstARefusal) {
  DuplicateRuling ruling = rule_on(Finding::kDuplicate, Action::kRefuse, Action::kRefuse, true);
  EXPECT_TRUE(ruling.registers);
  EXPECT_TRUE(ruling.opens_finding);
  EXPECT_TRUE(ruling.uses_allowance);
  ruling = rule_on(Finding::kDuplicate, Action::kFlag, Action::kRefuse, true);
  EXPECT_FALSE(ruling.uses_allowance);
  ruling = rule_on(Finding::kNone, Action::kRefuse, Action::kRefuse, true);
  EXPECT_FALSE(ruling.uses_allowance);
}

}  // namespace
}  // namespace visage::match
