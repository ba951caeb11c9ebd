// The search finds what a search without cleverness finds, at every SIMD level, however the work is cut up.
#include "core/gallery/search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace visage::gallery {
namespace {

using reference::Level;

class GallerySearch : public testing::TestWithParam<Level> {
 protected:
  void SetUp() override {
    kernels_ = kernels_at(GetParam());
    if (kernels_ == nullptr) GTEST_SKIP() << "this machine lacks the level";
    probe_ = random_code();
  }

  std::vector<uint64_t> random_code() {
    std::vector<uint64_t> code(kCodeWords);
    for (uint64_t& word : code) word = random_();
    return code;
  }
  // The probe with so many bits turned over.
  std::vector<uint64_t> at_distance(uint32_t distance) {
    std::vector<size_t> bits(kCodeBits);
    std::iota(bits.begin(), bits.end(), 0);
    std::shuffle(bits.begin(), bits.end(), random_);
    std::vector<uint64_t> code = probe_;
    for (uint32_t i = 0; i < distance; ++i) code[bits[i] / 64] ^= uint64_t{1} << (bits[i] % 64);
    return code;
  }
  void add(const std::vector<uint64_t>& code) { codes_.insert(codes_.end(), code.begin(), code.end()); }
  size_t count() const { return codes_.size() / kCodeWords; }

  std::vector<Hit> expected(size_t limit, uint32_t most, const uint64_t* live = nullptr) const {
    std::vector<Hit> all;
    for (size_t place = 0; place < count(); ++place) {
      uint32_t distance = 0;
      for (size_t bit = 0; bit < kCodeBits; ++bit)
        distance += ((codes_[place * kCodeWords + bit / 64] ^ probe_[bit / 64]) >> (bit % 64)) & 1;
      if (distance <= most && (live == nullptr || (live[place / 64] >> (place % 64) & 1) != 0))
        all.push_back({static_cast<uint32_t>(place), distance});
    }
    std::sort(all.begin(), all.end(), nearer);
    if (all.size() > limit) all.resize(limit);
    return all;
  }
  std::vector<Hit> found(size_t limit, uint32_t most, const uint64_t* live = nullptr,
                         size_t step = SIZE_MAX) const {
    std::vector<Hit> room(limit);
    Nearest nearest(room.data(), limit, most);
    for (size_t first = 0; first < count(); first += std::min(step, count() - first))
      search(*kernels_, codes_.data(), live, first, std::min(step, count() - first), probe_.data(), nearest);
    room.resize(nearest.sort());
    return room;
  }
  static void expect_same(const std::vector<Hit>& a, const std::vector<Hit>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].place, b[i].place) << "rank " << i;
      EXPECT_EQ(a[i].distance, b[i].distance) << "rank " << i;
    }
  }

  const Kernels* kernels_ = nullptr;
  std::mt19937_64 random_{11};  // a fixed seed: a failure repeats
  std::vector<uint64_t> codes_, probe_;
};

// Every distance that can occur is counted right, those of no and of every bit included.
TEST_P(GallerySearch, CountsEveryDistance) {
  for (uint32_t distance = 0; distance <= kCodeBits; ++distance) add(at_distance(distance));
  const std::vector<Hit> hits = found(count(), kCodeBits);
  ASSERT_EQ(hits.size(), kCodeBits + 1);
  for (uint32_t distance = 0; distance <= kCodeBits; ++distance) {
    EXPECT_EQ(hits[distance].distance, distance);
    EXPECT_EQ(hits[distance].place, distance);
  }
}

TEST_P(GallerySearch, FindsTheNearestOfEveryCount) {
  for (size_t size : {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 17, 255, 256, 257, 1000}) {
    codes_.clear();
    for (size_t i = 0; i < size; ++i) add(at_distance(static_cast<uint32_t>(random_() % (kCodeBits + 1))));
    for (size_t limit : {1, 2, 10, 2000}) expect_same(found(limit, kCodeBits), expected(limit, kCodeBits));
  }
}

// Nearly all are as far away as strangers: the usual case, in which nobody is found.
TEST_P(GallerySearch, KeepsToTheBound) {
  for (size_t i = 0; i < 3000; ++i) add(random_code());
  EXPECT_TRUE(found(10, 300).empty());
  for (uint32_t distance : {300u, 301u, 299u}) add(at_distance(distance));
  const std::vector<Hit> hits = found(10, 300);
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_EQ(hits[0].place, 3002u);
  EXPECT_EQ(hits[1].place, 3000u);
  // A bound beyond every distance lets everything pass.
  EXPECT_EQ(found(5000, UINT32_MAX).size(), count());
}

// Of equal distances the lower place, whatever the order of the work.
TEST_P(GallerySearch, BreaksTiesByPlace) {
  for (int i = 0; i < 600; ++i) add(at_distance(i % 3 == 0 ? 200 : 100));
  for (size_t step : {size_t{1}, size_t{7}, size_t{256}, size_t{600}})
    expect_same(found(450, kCodeBits, nullptr, step), expected(450, kCodeBits));
}

TEST_P(GallerySearch, SkipsTheDead) {
  for (int i = 0; i < 700; ++i) add(at_distance(static_cast<uint32_t>(random_() % 600)));
  std::vector<uint64_t> live(11);
  for (uint64_t& word : live) word = random_();
  for (size_t limit : {1, 50, 1000})
    expect_same(found(limit, 400, live.data()), expected(limit, 400, live.data()));
  const std::vector<uint64_t> nobody(11, 0);
  EXPECT_TRUE(found(10, kCodeBits, nobody.data()).empty());
}

std::string level_name(const testing::TestParamInfo<Level>& info) {
  switch (info.param) {
    case Level::kScalar:
      return "Scalar";
    case Level::kAvx2:
      return "Avx2";
    case Level::kAvx512:
      return "Avx512";
    case Level::kNeon:
      return "Neon";
  }
  return "";
}

INSTANTIATE_TEST_SUITE_P(Levels, GallerySearch,
                         testing::Values(Level::kScalar, Level::kAvx2, Level::kAvx512, Level::kNeon),
                         level_name);

}  // namespace
}  // namespace visage::gallery
