// Every SIMD level gives the same bits as the scalar one, for every width and code length that can occur.
#include "core/reference/kernels.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>
#include <string>
#include <vector>

#include "core/reference/rotation.h"

namespace visage::reference {
namespace {

class ReferenceKernels : public testing::TestWithParam<Level> {
 protected:
  void SetUp() override {
    kernels_ = kernels_of(GetParam());
    if (kernels_ == nullptr) GTEST_SKIP() << "this machine lacks the level";
  }
  std::vector<float> floats(size_t count) {
    std::normal_distribution<float> normal;
    std::vector<float> values(count);
    for (float& value : values) value = normal(random_);
    return values;
  }
  std::vector<uint8_t> bytes(size_t count) {
    std::vector<uint8_t> values(count);
    for (uint8_t& value : values) value = static_cast<uint8_t>(random_());
    return values;
  }
  // Equal as bits: 0 and -0 differ here, and a NaN equals itself.
  static void expect_same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i)
      ASSERT_EQ(std::bit_cast<uint32_t>(a[i]), std::bit_cast<uint32_t>(b[i])) << "at " << i;
  }

  const Kernels* kernels_ = nullptr;
  std::mt19937 random_{7};  // a fixed seed: a failure repeats
};

TEST_P(ReferenceKernels, RotateSameBits) {
  for (const size_t dimension : {64, 65, 127, 128, 200, 256, 512, 513, 1024, 2048})
    for (const size_t code_bits : {512, 1024, 2048})
      for (int repeat = 0; repeat < 5; ++repeat) {
        const auto feature = floats(dimension);
        const auto masks = bytes(mask_size(dimension, code_bits));
        std::vector<float> scalar(code_bits), simd(code_bits);
        rotate(feature.data(), dimension, code_bits, masks.data(), scalar.data(), kScalarKernels);
        rotate(feature.data(), dimension, code_bits, masks.data(), simd.data(), *kernels_);
        expect_same_bits(scalar, simd);
      }
}

TEST_P(ReferenceKernels, RotateSameBitsForExtremeValues) {
  auto feature = floats(128);
  feature[0] = 0;
  feature[1] = -0.0f;
  feature[2] = 1e-38f;
  feature[3] = 1e30f;
  const auto masks = bytes(mask_size(128, 1024));
  std::vector<float> scalar(1024), simd(1024);
  rotate(feature.data(), 128, 1024, masks.data(), scalar.data(), kScalarKernels);
  rotate(feature.data(), 128, 1024, masks.data(), simd.data(), *kernels_);
  expect_same_bits(scalar, simd);
}

TEST_P(ReferenceKernels, PackSignsSameBits) {
  auto values = floats(2048);
  values[5] = 0;
  values[6] = -0.0f;  // not negative: a code must not depend on the sign of zero
  std::vector<uint8_t> scalar(256), simd(256);
  pack_signs(values.data(), 2048, scalar.data(), kScalarKernels);
  pack_signs(values.data(), 2048, simd.data(), *kernels_);
  EXPECT_EQ(scalar, simd);
  EXPECT_EQ(simd[0] >> 5 & 3, 0);
}

TEST_P(ReferenceKernels, SumsAndScoreSameBits) {
  for (const size_t count : {512, 1024, 2048}) {
    const auto values = floats(count);
    const auto code = bytes(count / 8);
    Sums scalar = {}, simd = {};
    kScalarKernels.sums(code.data(), values.data(), count, scalar);
    kernels_->sums(code.data(), values.data(), count, simd);
    for (size_t i = 0; i < kLanes; ++i) {
      ASSERT_EQ(std::bit_cast<uint32_t>(scalar.dot[i]), std::bit_cast<uint32_t>(simd.dot[i]));
      ASSERT_EQ(std::bit_cast<uint32_t>(scalar.square[i]), std::bit_cast<uint32_t>(simd.square[i]));
    }
    EXPECT_EQ(asymmetric_score(code.data(), values.data(), count, kScalarKernels),
              asymmetric_score(code.data(), values.data(), count, *kernels_));
  }
}

TEST_P(ReferenceKernels, HammingCountsDifferingBits) {
  for (const size_t size : {64, 128, 256, 4096}) {
    const auto a = bytes(size), b = bytes(size);
    uint32_t expected = 0;
    for (size_t i = 0; i < size; ++i)
      expected += static_cast<uint32_t>(std::popcount(static_cast<uint8_t>(a[i] ^ b[i])));
    EXPECT_EQ(kernels_->hamming(a.data(), b.data(), size), expected);
    EXPECT_EQ(kernels_->hamming(a.data(), a.data(), size), 0u);
  }
}

// A macro's argument must hold no bare commas.
std::string level_name(const testing::TestParamInfo<Level>& level) {
  constexpr const char* kNames[] = {"Scalar", "Avx2", "Avx512", "Neon"};
  return kNames[static_cast<int>(level.param)];
}

INSTANTIATE_TEST_SUITE_P(Levels, ReferenceKernels,
                         testing::Values(Level::kScalar, Level::kAvx2, Level::kAvx512, Level::kNeon),
                         level_name);

}  // namespace
}  // namespace visage::reference
