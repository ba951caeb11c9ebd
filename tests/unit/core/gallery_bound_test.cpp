// The bound: whom the 1:1 comparison would accept is within it, as often as it says; strangers are not.
#include "core/gallery/bound.h"

#include <bit>
#include <numbers>

#include "core/gallery/search.h"
#include "support.h"

namespace visage::gallery {
namespace {

using test::Buffer;

// One person at `cosine` to the probe: the score by a reference of its own, the distance by the gallery's
// code.
struct Pair {
  double score;
  uint32_t distance;
};

class Sampler {
 public:
  Sampler(size_t dimension, size_t code_bits, uint64_t seed)
      : dimension_(dimension), code_bits_(code_bits), random_(seed) {}

  Pair draw(double cosine) {
    if (drawn_++ % 8 == 0 || cosine != cosine_) {  // making features is what costs time here
      a_ = test::random_feature(random_, dimension_);
      b_ = test::feature_at(random_, a_, cosine);
      cosine_ = cosine;
    }
    std::vector<float> enrolled(code_bits_), probed(code_bits_);
    Buffer masks = test::random_bytes(random_, reference::mask_size(dimension_, code_bits_));
    Buffer code(code_bits_ / 8);
    reference::rotate(a_.data(), dimension_, code_bits_, masks.data(), enrolled.data());
    reference::pack_signs(enrolled.data(), code_bits_, code.data());
    reference::rotate(b_.data(), dimension_, code_bits_, masks.data(), probed.data());
    Pair pair;
    pair.score =
        reference::asymmetric_score(code.data(), probed.data(), code_bits_) * std::sqrt(std::numbers::pi / 2);
    masks = test::random_bytes(random_, reference::mask_size(dimension_, kCodeBits));
    Buffer one = sign_code(a_, masks), other = sign_code(b_, masks);
    pair.distance = static_cast<uint32_t>(test::differing_bits(one, other));
    return pair;
  }

 private:
  Buffer sign_code(const std::vector<float>& feature, const Buffer& masks) const {
    std::vector<float> rotated(kCodeBits);
    Buffer code(kCodeBits / 8);
    reference::rotate(feature.data(), dimension_, kCodeBits, masks.data(), rotated.data());
    reference::pack_signs(rotated.data(), kCodeBits, code.data());
    return code;
  }

  size_t dimension_, code_bits_;
  std::mt19937_64 random_;
  std::vector<float> a_, b_;
  double cosine_ = 2;
  uint64_t drawn_ = 0;
};

// Of `pairs` people at a cosine, how many would be accepted and are farther than the bound?
int missed(Sampler& sampler, double cosine, double threshold, uint32_t bound, int pairs) {
  int count = 0;
  for (int i = 0; i < pairs; ++i) {
    const Pair pair = sampler.draw(cosine);
    if (pair.score >= threshold && pair.distance > bound) ++count;
  }
  return count;
}

// Wherever the person's true cosine lies, of any length of feature: the promise is for each cosine.
TEST(GalleryBound, MissesNoMoreThanItSays) {
  constexpr double kMiss = 0.01;
  constexpr int kPairs = 1500;
  for (size_t dimension : {64u, 128u, 512u, 2048u})
    for (double threshold : {0.3, 0.5}) {
      Sampler sampler(dimension, 1024, 80 + dimension);
      const uint32_t bound = distance_bound(threshold, 1024, kMiss);
      for (double offset : {-0.10, -0.07, -0.05, -0.03, -0.01, 0.02, 0.05}) {
        const int count = missed(sampler, threshold + offset, threshold, bound, kPairs);
        EXPECT_LE(count, kMiss * kPairs + 4.5 * std::sqrt(kMiss * kPairs))
            << dimension << " values, threshold " << threshold << ", cosine " << threshold + offset;
      }
    }
}

// Without a margin, at the distance of the threshold's own angle, half of those are missed who just reach it.
TEST(GalleryBound, TheMarginIsNeeded) {
  Sampler sampler(2048, 1024, 90);  // where coordinates are almost independent; whole blocks vary less
  const auto bare = static_cast<uint32_t>(std::acos(0.5) / std::numbers::pi * kCodeBits);
  EXPECT_GT(missed(sampler, 0.5, 0.5, bare, 1000), 150);
  // And one of 25 bits, about half of what is asked for at this rate, is too small.
  const uint32_t bound = distance_bound(0.5, 1024, 0.001);
  int count = 0;
  for (double cosine : {0.44, 0.46, 0.48})
    count = std::max(count, missed(sampler, cosine, 0.5, bound - 25, 1000));
  EXPECT_GT(count, 1000 * 0.001 + 4.5 * std::sqrt(1.0));
}

// A bound that let everybody pass would find everybody too, and be of no use. Random codes, as those of
// strangers at a cosine of zero: at the threshold of SFace for one in 100,000 and one miss in a million,
// fewer than one in 100,000 pass.
TEST(GalleryBound, KeepsStrangersOut) {
  const uint32_t bound = distance_bound(0.494, 1024, 1e-6);
  double passing = 0, weight = std::exp2(-1024);
  for (uint32_t d = 0; d <= bound; ++d) {
    passing += weight;
    weight *= (1024.0 - d) / (d + 1.0);
  }
  EXPECT_LT(passing, 1e-5);
  EXPECT_GT(bound, std::acos(0.494) / std::numbers::pi * kCodeBits);
}

TEST(GalleryBound, FollowsWhatIsAsked) {
  uint32_t before = kCodeBits;
  for (double threshold = 0; threshold < 1; threshold += 0.05) {
    const uint32_t bound = distance_bound(threshold, 1024, 1e-6);
    EXPECT_LE(bound, before) << "a higher threshold looks less far";
    before = bound;
  }
  EXPECT_LE(distance_bound(0.5, 1024, 1e-3), distance_bound(0.5, 1024, 1e-6));
  // A longer code of the reference has less noise, so fewer of the far ones reach the threshold.
  EXPECT_LT(distance_bound(0.5, 2048, 1e-6), distance_bound(0.5, 512, 1e-6));
}

// What cannot be promised is not: then everybody is looked at.
TEST(GalleryBound, LooksAtEverybodyWhereItMust) {
  for (double miss : {0.0, -1.0, 1.0, std::nan("")}) EXPECT_EQ(distance_bound(0.5, 1024, miss), kCodeBits);
  EXPECT_EQ(distance_bound(-2, 1024, 1e-6), kCodeBits);
  // A threshold that nobody reaches bounds nobody: whom it leaves out is not accepted either.
  EXPECT_EQ(distance_bound(3, 1024, 1e-6), 0u);
}

// The first factor of the bound must not be less than what scores do.
TEST(GalleryBound, ScoresReachNoMoreOftenThanItSays) {
  constexpr int kPairs = 2000;
  for (size_t dimension : {64u, 128u, 512u, 2048u})
    for (double above : {0.01, 0.03, 0.06}) {
      Sampler sampler(dimension, 1024, 91 + dimension);
      int reached = 0;
      for (int i = 0; i < kPairs; ++i) reached += sampler.draw(0.4).score >= 0.4 + above ? 1 : 0;
      const double most = kPairs * chance_of_score(0.4, 0.4 + above, 1024);
      EXPECT_LE(reached, most + 4.5 * std::sqrt(most)) << dimension << " values, " << above << " above";
    }
}

}  // namespace
}  // namespace visage::gallery
