// All near pairs are found, each once, at every SIMD level and by any number of threads. [6.2c]
#include "core/gallery/pairs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

namespace visage::gallery {
namespace {

using reference::Level;

class GalleryPairs : public testing::TestWithParam<Level> {
 protected:
  // Random codes, and near copies of some: within, at and beyond the bound.
  void SetUp() override {
    kernels_ = kernels_at(GetParam());
    if (kernels_ == nullptr) GTEST_SKIP() << "this machine lacks the level";
    codes_.resize(kCount * kCodeWords);
    for (uint64_t& word : codes_) word = random_();
    for (uint32_t copy = 0; copy < 40; ++copy) {
      const uint32_t of = static_cast<uint32_t>(random_() % kCount);
      const uint32_t to = static_cast<uint32_t>(random_() % kCount);
      std::copy_n(&codes_[of * kCodeWords], kCodeWords, &codes_[to * kCodeWords]);
      for (uint32_t bit = 0; bit < kBound - 20 + copy; ++bit)
        codes_[to * kCodeWords + bit / 64] ^= uint64_t{1} << (bit % 64);
    }
  }

  PairSearch search(uint32_t count = kCount) const { return {kernels_, codes_.data(), count, kBound}; }

  std::vector<Pair> expected(uint32_t count, uint32_t first, uint32_t last) const {
    std::vector<Pair> all;
    for (uint32_t a = first; a < last; ++a)
      for (uint32_t b = a + 1; b < count; ++b) {
        uint32_t distance = 0;
        for (size_t word = 0; word < kCodeWords; ++word)
          distance += static_cast<uint32_t>(
              std::popcount(codes_[a * kCodeWords + word] ^ codes_[b * kCodeWords + word]));
        if (distance <= kBound) all.push_back({a, b, distance});
      }
    std::sort(all.begin(), all.end(), [](const Pair& x, const Pair& y) { return nearer(x, y); });
    return all;
  }

  std::vector<Pair> found(uint32_t count, uint32_t first, uint32_t last, unsigned threads) const {
    std::vector<Pair> room(10000);
    size_t size = 0;
    EXPECT_TRUE(find_pairs(search(count), first, last, threads, room.data(), room.size(), size).ok());
    room.resize(size);
    std::sort(room.begin(), room.end(), [](const Pair& x, const Pair& y) { return nearer(x, y); });
    return room;
  }

  static void expect_same(const std::vector<Pair>& a, const std::vector<Pair>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].a, b[i].a);
      EXPECT_EQ(a[i].b, b[i].b);
      EXPECT_EQ(a[i].distance, b[i].distance);
    }
  }

  static constexpr uint32_t kCount = 1500;
  static constexpr uint32_t kBound = 200;
  const Kernels* kernels_ = nullptr;
  std::mt19937_64 random_{17};  // a fixed seed: a failure repeats
  std::vector<uint64_t> codes_;
};

TEST_P(GalleryPairs, FindsWhatTwoLoopsFind) {
  for (const uint32_t count : {0u, 1u, 2u, 31u, 32u, 33u, 255u, 256u, 257u, 258u, kCount})
    for (const unsigned threads : {1u, 2u, 5u})
      expect_same(found(count, 0, count, threads), expected(count, 0, count));
  EXPECT_GT(expected(kCount, 0, kCount).size(), 10u);
}

TEST_P(GalleryPairs, FindsTheSameHoweverTheWorkIsCutUp) {
  std::vector<Pair> all;
  for (uint32_t first = 0; first < kCount;) {
    const uint32_t last = row_after(search(), first, 35000, 2);
    ASSERT_GT(last, first);
    const std::vector<Pair> part = found(kCount, first, last, 2);
    expect_same(part, expected(kCount, first, last));
    all.insert(all.end(), part.begin(), part.end());
    first = last;
  }
  std::sort(all.begin(), all.end(), [](const Pair& x, const Pair& y) { return nearer(x, y); });
  expect_same(all, expected(kCount, 0, kCount));
}

TEST_P(GalleryPairs, CountsWhatThereIsNoRoomFor) {
  const size_t all = expected(kCount, 0, kCount).size();
  std::vector<Pair> room(4, {7, 7, 7});
  size_t size = 0;
  ASSERT_TRUE(find_pairs(search(), 0, kCount, 2, room.data(), 3, size).ok());
  EXPECT_EQ(size, all);
  EXPECT_EQ(room[3].distance, 7u) << "wrote behind the end";
}

INSTANTIATE_TEST_SUITE_P(Levels, GalleryPairs,
                         testing::Values(Level::kScalar, Level::kAvx2, Level::kAvx512, Level::kNeon));

TEST(GalleryPairCount, IsThatOfTheRowsDone) {
  const PairSearch search = {nullptr, nullptr, 1000000, 0};
  EXPECT_EQ(pairs_before(search, 0), 0u);
  EXPECT_EQ(pairs_before(search, 1), 999999u);
  EXPECT_EQ(pairs_before(search, 1000000), uint64_t{1000000} * 999999 / 2);
}

// About as many pairs as asked for, but work for every thread, however many codes there are; and to the end.
TEST(GalleryPairCount, LeavesNoThreadWithoutWork) {
  for (const uint32_t count : {1u, 31u, 33u, 1000u, 1000000u, 5000000u, 200000000u})
    for (const unsigned threads : {1u, 2u, 64u}) {
      const PairSearch search = {nullptr, nullptr, count, 0};
      uint32_t steps = 0;
      for (uint32_t first = 0, next; first < count && steps < 1000; first = next, ++steps) {
        constexpr uint64_t kPairs = 1 << 25;
        next = row_after(search, first, kPairs, threads);
        ASSERT_GT(next, first);
        ASSERT_LE(next, count);
        const uint32_t rows = next - first, tiles = (rows + kTileRows - 1) / kTileRows;
        EXPECT_TRUE(next == count || tiles >= threads) << count << " codes from " << first;
        EXPECT_TRUE(rows <= kTileRows * threads ||
                    pairs_before(search, next - 1) - pairs_before(search, first) <= kPairs * threads);
      }
      EXPECT_GT(steps, 0u);
    }
}

// The estimate of the cosine at the largest distance reaches the threshold, and one bit more does not.
TEST(GalleryPairDistance, IsTheLastThatReachesTheThreshold) {
  for (const double threshold : {0.1, 0.4, 0.5283, 0.6, 0.99}) {
    const uint32_t distance = distance_at(threshold);
    EXPECT_GE(std::cos(std::numbers::pi * distance / kCodeBits), threshold);
    EXPECT_LT(std::cos(std::numbers::pi * (distance + 1) / kCodeBits), threshold);
  }
  EXPECT_EQ(distance_at(1), 0u);
  EXPECT_EQ(distance_at(1.5), 0u);
}

}  // namespace
}  // namespace visage::gallery
