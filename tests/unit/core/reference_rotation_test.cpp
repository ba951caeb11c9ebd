// The rotation, the packing of signs and the score, against plain double arithmetic.
#include "core/reference/rotation.h"

#include <bit>

#include "support.h"

namespace visage::reference {
namespace {

using test::Buffer;

constexpr size_t kDimensions[] = {64, 65, 100, 128, 192, 256, 512, 513, 1000, 1024, 2047, 2048};

// The construction of docs/formats.md "rotation", written without the fast transform: H[i][j] =
// (-1)^popcount(i & j).
std::vector<double> naive_rotation(const std::vector<float>& feature, size_t code_bits, const Buffer& masks) {
  const size_t width = std::bit_ceil(std::max<size_t>(feature.size(), 64));
  const auto minus = [&](size_t block, size_t round, size_t i) {
    const size_t bit = (block * 4 + round) * width + i;
    return (masks[bit / 8] >> (bit % 8)) & 1;
  };
  std::vector<double> out;
  for (size_t block = 0; out.size() < code_bits; ++block) {
    std::vector<double> y(feature.begin(), feature.end());
    y.resize(width, 0);
    for (size_t round = 0; round < 4; ++round) {
      if (round != 0) {
        std::vector<double> transformed(width, 0);
        for (size_t i = 0; i < width; ++i)
          for (size_t j = 0; j < width; ++j) transformed[i] += std::popcount(i & j) % 2 ? -y[j] : y[j];
        y = transformed;
      }
      for (size_t i = 0; i < width; ++i)
        if (minus(block, round, i)) y[i] = -y[i];
    }
    for (size_t i = 0; i < width && out.size() < code_bits; ++i) out.push_back(y[i]);
  }
  return out;
}

TEST(ReferenceRotation, SizesOfBlocksAndMasks) {
  EXPECT_EQ(block_width(64), 64u);
  EXPECT_EQ(block_width(65), 128u);
  EXPECT_EQ(block_width(513), 1024u);
  EXPECT_EQ(block_width(2048), 2048u);
  EXPECT_EQ(block_count(128, 1024), 8u);
  EXPECT_EQ(block_count(512, 1024), 2u);
  EXPECT_EQ(block_count(2048, 512), 1u);
  for (size_t bits : {512u, 1024u, 2048u})
    for (size_t dimension = 64; dimension <= 2048; ++dimension)
      ASSERT_LE(mask_size(dimension, bits), kMaxMaskSize);
}

TEST(ReferenceRotation, AgreesWithTheDefinition) {
  std::mt19937_64 random(40);
  for (size_t dimension : kDimensions)
    for (size_t code_bits : {512u, 1024u, 2048u}) {
      const auto feature = test::random_feature(random, dimension);
      const Buffer masks = test::random_bytes(random, mask_size(dimension, code_bits));
      std::vector<float> rotated(code_bits);
      rotate(feature.data(), dimension, code_bits, masks.data(), rotated.data());
      const std::vector<double> expected = naive_rotation(feature, code_bits, masks);
      const double scale = std::pow(static_cast<double>(block_width(dimension)), 1.5) / std::sqrt(dimension);
      for (size_t i = 0; i < code_bits; ++i)
        ASSERT_NEAR(rotated[i], expected[i], 1e-5 * scale) << dimension << " " << code_bits << " " << i;
    }
}

// Three unscaled transforms: each whole block has the feature's length times width^1.5.
TEST(ReferenceRotation, KeepsLengthsAndAngles) {
  std::mt19937_64 random(41);
  for (size_t dimension : kDimensions) {
    const size_t width = block_width(dimension), code_bits = std::max<size_t>(width, 512);
    const Buffer masks = test::random_bytes(random, mask_size(dimension, code_bits));
    const auto a = test::random_feature(random, dimension), b = test::feature_at(random, a, 0.3);
    std::vector<float> rotated_a(code_bits), rotated_b(code_bits);
    rotate(a.data(), dimension, code_bits, masks.data(), rotated_a.data());
    rotate(b.data(), dimension, code_bits, masks.data(), rotated_b.data());
    const double cubed = std::pow(static_cast<double>(width), 3);
    for (size_t start = 0; start < code_bits; start += width) {
      double norm = 0, dot = 0;
      for (size_t i = start; i < start + width; ++i) {
        norm += double{rotated_a[i]} * rotated_a[i];
        dot += double{rotated_a[i]} * rotated_b[i];
      }
      ASSERT_NEAR(norm / cubed, 1, 1e-5) << dimension;
      ASSERT_NEAR(dot / cubed, 0.3, 1e-5) << dimension;
    }
  }
}

TEST(ReferenceRotation, RepeatsBitForBitAndTouchesOnlyItsOutput) {
  std::mt19937_64 random(42);
  for (size_t dimension : kDimensions) {
    const auto feature = test::random_feature(random, dimension);
    const Buffer masks = test::random_bytes(random, mask_size(dimension, 1024));
    std::vector<float> a(1024 + 1, 7.5f), b(1024 + 1, -1.0f);
    rotate(feature.data(), dimension, 1024, masks.data(), a.data());
    rotate(feature.data(), dimension, 1024, masks.data(), b.data());
    EXPECT_EQ(std::memcmp(a.data(), b.data(), 1024 * sizeof(float)), 0);
    EXPECT_EQ(a[1024], 7.5f);
    EXPECT_EQ(b[1024], -1.0f);
  }
}

TEST(ReferenceRotation, EveryMaskBitMatters) {
  std::mt19937_64 random(43);
  for (const auto& [dimension, code_bits] : {std::pair{64u, 512u}, {512u, 1024u}, {100u, 512u}}) {
    const auto feature = test::random_feature(random, block_width(dimension));  // no padded zeros
    Buffer masks = test::random_bytes(random, mask_size(dimension, code_bits));
    std::vector<float> before(code_bits), after(code_bits);
    rotate(feature.data(), feature.size(), code_bits, masks.data(), before.data());
    for (size_t bit = 0; bit < masks.size() * 8; ++bit) {
      masks[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      rotate(feature.data(), feature.size(), code_bits, masks.data(), after.data());
      ASSERT_NE(std::memcmp(before.data(), after.data(), code_bits * sizeof(float)), 0) << bit;
      masks[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    }
  }
}

TEST(ReferencePackSigns, BitJOfByteIIsValue8IPlusJ) {
  std::mt19937_64 random(44);
  for (size_t code_bits : {512u, 1024u, 2048u}) {
    std::vector<float> values(code_bits);
    for (auto& value : values) value = static_cast<float>(static_cast<int>(random() % 3) - 1);
    values[0] = -0.0f;  // zero of either sign is not negative
    Buffer code(code_bits / 8);
    pack_signs(values.data(), code_bits, code.data());
    for (size_t i = 0; i < code_bits; ++i) ASSERT_EQ(code[i / 8] >> (i % 8) & 1, values[i] < 0) << i;
  }
}

double naive_score(const Buffer& code, const std::vector<float>& rotated) {
  double dot = 0, square = 0;
  for (size_t i = 0; i < rotated.size(); ++i) {
    const double sign = (code[i / 8] >> (i % 8) & 1) ? -1 : 1;
    dot += sign * rotated[i];
    square += double{rotated[i]} * rotated[i];
  }
  return dot / std::sqrt(static_cast<double>(rotated.size()) * square);
}

TEST(ReferenceScore, AgreesWithTheDefinition) {
  std::mt19937_64 random(45);
  std::normal_distribution<float> normal;
  for (int round = 0; round < 500; ++round) {
    const size_t code_bits = 512u << (random() % 3);
    const float scale = std::exp(normal(random) * 8);
    std::vector<float> rotated(code_bits);
    for (auto& value : rotated) value = normal(random) * scale;
    const Buffer code = test::random_bytes(random, code_bits / 8);
    ASSERT_NEAR(asymmetric_score(code.data(), rotated.data(), code_bits), naive_score(code, rotated), 1e-6);
  }
}

TEST(ReferenceScore, SymmetriesAndBounds) {
  std::mt19937_64 random(46);
  std::normal_distribution<float> normal;
  std::vector<float> rotated(1024), minus(1024), tripled(1024);
  for (size_t i = 0; i < 1024; ++i) {
    rotated[i] = normal(random);
    minus[i] = -rotated[i];
    tripled[i] = 4 * rotated[i];
  }
  const Buffer code = test::random_bytes(random, 128);
  Buffer complement = code;
  for (auto& byte : complement) byte = static_cast<uint8_t>(~byte);
  const double score = asymmetric_score(code.data(), rotated.data(), 1024);
  EXPECT_EQ(asymmetric_score(code.data(), minus.data(), 1024), -score);
  EXPECT_EQ(asymmetric_score(complement.data(), rotated.data(), 1024), -score);
  EXPECT_EQ(asymmetric_score(code.data(), tripled.data(), 1024), score) << "length does not matter";
  // The bound is reached when all magnitudes are equal and all signs agree.
  std::vector<float> flat(1024, 3.0f);
  EXPECT_NEAR(asymmetric_score(Buffer(128, 0x00).data(), flat.data(), 1024), 1, 1e-12);
  EXPECT_NEAR(asymmetric_score(Buffer(128, 0xFF).data(), flat.data(), 1024), -1, 1e-12);
}

TEST(ReferenceScore, ZeroAndNanVectorsFailClosed) {
  std::vector<float> rotated(1024, 0.0f);
  const Buffer code(128, 0x00);
  EXPECT_EQ(asymmetric_score(code.data(), rotated.data(), 1024), -1);
  rotated[5] = std::nanf("");
  EXPECT_EQ(asymmetric_score(code.data(), rotated.data(), 1024), -1);
}

}  // namespace
}  // namespace visage::reference
