// The score as an estimate of the cosine. [6.3b]
//
// A random whole block gives the estimate a variance of about ((π/2 − 1)(1 − c²) + (π/2)(1 − 3/π) c²) / m.
// Where the code is shorter than a block (512 of 1024 coordinates …) coordinates are drawn almost
// independently: (π/2 − c²) / m.
#include <numbers>

#include "support.h"

namespace visage::match {
namespace {

using test::Buffer;

constexpr double kPi = std::numbers::pi;

double whole_block_deviation(double cosine, size_t code_bits) {
  const double c2 = cosine * cosine;
  return std::sqrt(((kPi / 2 - 1) * (1 - c2) + (kPi / 2 - 1.5) * c2) / static_cast<double>(code_bits));
}

// Scores of pairs at one cosine, each pair under masks of its own.
test::Moments scores(std::mt19937_64& random, size_t dimension, size_t code_bits, double cosine, int pairs) {
  test::Moments moments;
  std::vector<float> enrolled(code_bits), probed(code_bits);
  Buffer code(code_bits / 8);
  std::vector<float> a = test::random_feature(random, dimension), b = test::feature_at(random, a, cosine);
  for (int i = 0; i < pairs; ++i) {
    if (i % 8 == 0) {  // a new pair for every eighth set of masks: making pairs is what costs time here
      a = test::random_feature(random, dimension);
      b = test::feature_at(random, a, cosine);
    }
    const Buffer masks = test::random_bytes(random, reference::mask_size(dimension, code_bits));
    reference::rotate(a.data(), dimension, code_bits, masks.data(), enrolled.data());
    reference::pack_signs(enrolled.data(), code_bits, code.data());
    reference::rotate(b.data(), dimension, code_bits, masks.data(), probed.data());
    moments.add(reference::asymmetric_score(code.data(), probed.data(), code_bits) * std::sqrt(kPi / 2));
  }
  return moments;
}

TEST(MatchScore, EstimatesTheCosineWithinItsStatedNoise) {
  std::mt19937_64 random(60);
  for (size_t dimension : {64u, 128u, 512u, 513u, 1024u, 2048u})
    for (double cosine : {-0.5, 0.0, 0.3, 0.5, 0.8}) {
      const test::Moments moments = scores(random, dimension, 1024, cosine, 800);
      // A unit vector of d values has coordinates a little flatter than Gaussian ones: a factor of 1 +
      // 1/(4d).
      const double bias = std::abs(cosine) / (4.0 * static_cast<double>(dimension));
      EXPECT_NEAR(moments.mean(), cosine, bias + 4.5 * moments.error_of_mean()) << dimension << " " << cosine;
      const double whole = whole_block_deviation(cosine, 1024);
      const double truncated = std::sqrt((kPi / 2 - cosine * cosine) / 1024);
      EXPECT_GT(moments.deviation(), 0.85 * whole) << dimension << " " << cosine;
      EXPECT_LT(moments.deviation(), 1.15 * (dimension > 1024 ? truncated : whole))
          << dimension << " " << cosine;
    }
}

TEST(MatchScore, NoiseFallsWithTheLengthOfTheCode) {
  std::mt19937_64 random(61);
  for (size_t code_bits : {512u, 1024u, 2048u})
    EXPECT_NEAR(scores(random, 128, code_bits, 0.4, 1500).deviation(), whole_block_deviation(0.4, code_bits),
                0.12 * whole_block_deviation(0.4, code_bits));
}

// Sparse and structured features are where a sloppy rotation fails: three rounds must spread them.
TEST(MatchScore, StructuredFeaturesAreSpread) {
  std::mt19937_64 random(62);
  for (size_t dimension : {64u, 128u, 512u, 2048u}) {
    std::vector<std::vector<float>> features;
    std::vector<float> one_hot(dimension, 0.0f), two(dimension, 0.0f), alternating(dimension),
        constant(dimension, 1.0f);
    one_hot[0] = 1;
    two[3] = two[dimension - 1] = 1;
    for (size_t i = 0; i < dimension; ++i) alternating[i] = i % 2 ? -1.0f : 1.0f;
    for (const auto& feature : {one_hot, two, alternating, constant}) {
      test::Moments moments;
      std::vector<float> rotated(1024);
      Buffer code(128);
      for (int round = 0; round < 300; ++round) {
        const Buffer masks = test::random_bytes(random, reference::mask_size(dimension, 1024));
        reference::rotate(feature.data(), dimension, 1024, masks.data(), rotated.data());
        reference::pack_signs(rotated.data(), 1024, code.data());
        const double score =
            reference::asymmetric_score(code.data(), rotated.data(), 1024) * std::sqrt(kPi / 2);
        ASSERT_LE(score, std::sqrt(kPi / 2) + 1e-9);
        moments.add(score);
      }
      EXPECT_NEAR(moments.mean(), 1, 0.02) << dimension;
    }
  }
}

TEST(MatchScore, EndToEndThroughSealedEnvelopes) {
  std::mt19937_64 random(63);
  for (crypto::Suite suite : test::kSuites) {
    const test::Subject alice(test::kAlice, suite);
    for (size_t dimension : {64u, 512u, 2048u}) {
      const auto face = test::random_feature(random, dimension);
      const Buffer envelope = alice.enrol(test::contents_of(face));
      const double self = alice.score(envelope, test::contents_of(face));
      EXPECT_NEAR(self, 1, 0.06) << "about 7 deviations";
      EXPECT_LE(self, std::sqrt(kPi / 2));
      const double bound = 6 * std::sqrt(kPi / 2 / 1024);
      for (double cosine : {0.0, 0.5})
        EXPECT_NEAR(alice.score(envelope, test::contents_of(test::feature_at(random, face, cosine))), cosine,
                    bound);
      // The opposite vector has the opposite score, exactly.
      std::vector<float> opposite = face;
      for (auto& value : opposite) value = -value;
      EXPECT_EQ(alice.score(envelope, test::contents_of(opposite)), -self);
    }
  }
}

TEST(MatchScore, RepeatsExactly) {
  std::mt19937_64 random(64);
  const test::Subject alice(test::kAlice);
  const auto contents = test::contents_of(test::random_feature(random, 512));
  const Buffer envelope = alice.enrol(contents);
  EXPECT_EQ(alice.score(envelope, contents), alice.score(envelope, contents));
}

}  // namespace
}  // namespace visage::match
