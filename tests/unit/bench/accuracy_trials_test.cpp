// Which attempts a protocol makes, and that each is scored and counted once.
#include <gtest/gtest.h>

#include "bench/accuracy_rates.h"
#include "bench/accuracy_trials.h"

namespace visage::bench {
namespace {

// Person 0 has pictures 0, 1 and 2, person 1 has 3, person 2 has 4 and 5. Of 5 there is no feature.
constexpr uint32_t kPeople[] = {0, 0, 0, 1, 2, 2};

Trials trials(bool unordered) {
  Trials out;
  for (uint32_t picture = 0; picture < 6; ++picture) out.claims.push_back({kPeople[picture], {picture}});
  out.probes = out.claims;
  out.unordered = unordered;
  return out;
}

Vectors features() {
  Vectors out(6, 64);
  for (size_t picture = 0; picture < 5; ++picture) out.set_known(picture);
  return out;
}

Scores scored(const Trials& trials) {
  Scores out;
  const Score score = [](size_t claim, size_t probe) { return 0.1f * static_cast<float>(claim + probe); };
  EXPECT_TRUE(score_trials("test", trials, 3, features(), score, out));
  return out;
}

TEST(AccuracyTrials, OrderedPairs) {
  const Scores out = scored(trials(false));
  EXPECT_EQ(out.genuine_attempts, (std::vector<uint64_t>{6, 0, 2}));
  EXPECT_EQ(out.not_scored, (std::vector<uint64_t>{0, 0, 2}));
  EXPECT_EQ(out.genuine.size(), 6u);
  EXPECT_EQ(out.impostors.size(), 14u) << "5·4 ordered pairs with features, 6 of them genuine";
  EXPECT_TRUE(std::is_sorted(out.genuine.begin(), out.genuine.end(),
                             [](const Genuine& a, const Genuine& b) { return a.score < b.score; }));
  EXPECT_FLOAT_EQ(out.impostors.front().score, 0.7f) << "pictures 3 and 4";
  const Counts counts = count_at(out, 2, Weights(3, 1));
  EXPECT_EQ(counts.impostors, 22) << "6·6 - (3·3 + 1 + 2·2): pictures without a feature are attempts, too";
  EXPECT_EQ(counts.genuine, 8);
  EXPECT_EQ(counts.rejects, 8);
}

TEST(AccuracyTrials, UnorderedPairs) {
  const Scores out = scored(trials(true));
  EXPECT_EQ(out.genuine_attempts, (std::vector<uint64_t>{3, 0, 1}));
  EXPECT_EQ(out.not_scored, (std::vector<uint64_t>{0, 0, 1}));
  EXPECT_EQ(out.genuine.size(), 3u);
  EXPECT_EQ(out.impostors.size(), 7u);
  EXPECT_EQ(count_at(out, 2, Weights(3, 1)).impostors, 11);
}

// A picture that is in the reference and in the probe would be compared with itself.
TEST(AccuracyTrials, SidesThatShareAPictureAreNoAttempt) {
  Trials groups;
  groups.claims = {{0, {0, 1}}, {0, {1, 2}}};
  groups.probes = {{0, {2}}, {1, {3}}};
  const Scores out = scored(groups);
  EXPECT_EQ(out.genuine_attempts, (std::vector<uint64_t>{1, 0, 0}));
  EXPECT_EQ(out.genuine.size(), 1u);
  EXPECT_EQ(out.impostors.size(), 2u);
}

TEST(AccuracyTrials, MeanOfFramesHasUnitLength) {
  Vectors two(2, 64);
  two.row(0)[0] = 1;
  two.row(1)[1] = 1;
  const Vectors mean = average_frames({{0, {0, 1}}, {0, {1}}}, two);
  EXPECT_FLOAT_EQ(mean.row(0)[0], std::sqrt(0.5f));
  EXPECT_FLOAT_EQ(mean.row(0)[1], std::sqrt(0.5f));
  EXPECT_FLOAT_EQ(mean.row(1)[1], 1);
}

}  // namespace
}  // namespace visage::bench
