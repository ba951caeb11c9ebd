// A run of bench-liveness that was cut off goes on with what it had finished, and with nothing else.
#include "liveness_cache.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace visage::bench {
namespace {

using liveness::Method;
using liveness::Reason;

class LivenessCache : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove(path_); }
  void TearDown() override { std::filesystem::remove(path_); }

  const std::string path_ = testing::TempDir() + "liveness_cache_test";
  Sheet sheet_{{{"apcer_print", liveness::fail(Method::kTexture, Reason::kPeriodicDots, 0.1f)},
                {"bpcer_films", liveness::pass(Method::kChallenge, 0.75f)}},
               {{"parallax.head", -1.25e-7f}}};
};

TEST_F(LivenessCache, WhatWasKeptIsFound) {
  SheetCache(path_, "digest").keep("films0", sheet_);
  SheetCache(path_, "digest").keep("films4", Sheet{});
  const SheetCache cache(path_, "digest");
  Sheet found;
  ASSERT_TRUE(cache.find("films0", found));
  ASSERT_EQ(found.outcomes.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(found.outcomes[i].first, sheet_.outcomes[i].first);
    EXPECT_EQ(found.outcomes[i].second.method, sheet_.outcomes[i].second.method);
    EXPECT_EQ(found.outcomes[i].second.verdict, sheet_.outcomes[i].second.verdict);
    EXPECT_EQ(found.outcomes[i].second.reason, sheet_.outcomes[i].second.reason);
    EXPECT_EQ(found.outcomes[i].second.value, sheet_.outcomes[i].second.value);
  }
  EXPECT_EQ(found.numbers, sheet_.numbers);
  ASSERT_TRUE(cache.find("films4", found));
  EXPECT_TRUE(found.outcomes.empty());
  EXPECT_FALSE(cache.find("films8", found));
}

TEST_F(LivenessCache, AnotherProgramBeginsAnew) {
  SheetCache(path_, "digest").keep("films0", sheet_);
  SheetCache(path_, "other").keep("films4", sheet_);
  Sheet found;
  EXPECT_FALSE(SheetCache(path_, "other").find("films0", found));
  EXPECT_TRUE(SheetCache(path_, "other").find("films4", found));
  EXPECT_FALSE(SheetCache(path_, "digest").find("films0", found)) << "the file is the other program's now";
}

TEST_F(LivenessCache, ALineThatWasCutOffCountsForNothing) {
  SheetCache(path_, "digest").keep("films0", sheet_);
  const uintmax_t whole = std::filesystem::file_size(path_);
  for (uintmax_t size = std::string("digest").size(); size < whole; ++size) {
    std::filesystem::remove(path_);
    SheetCache(path_, "digest").keep("films0", sheet_);
    std::filesystem::resize_file(path_, size);
    SheetCache(path_, "digest").keep("films4", sheet_);
    const SheetCache cache(path_, "digest");
    Sheet found;
    EXPECT_FALSE(cache.find("films0", found)) << size;
    EXPECT_TRUE(cache.find("films4", found)) << size;
  }
}

}  // namespace
}  // namespace visage::bench
