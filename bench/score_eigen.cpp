#include "score_eigen.h"

#include <Eigen/Core>
#include <algorithm>
#include <bit>
#include <chrono>
#include <random>
#include <vector>

#include "bench/json_line.h"
#include "core/reference/rotation.h"

namespace visage::bench {
namespace {

constexpr int kRounds = 51;
constexpr int kCalls = 500;
constexpr int kWidth = 128;
constexpr int kBits = 1024;

template <typename Call>
double round_us(Call&& call) {
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < kCalls; ++i) call();
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
  return took.count() / kCalls;
}

// Median over alternating rounds of Eigen's time over ours.
template <typename Eigens, typename Ours>
void report(const char* metric, const char* note, Eigens&& eigens, Ours&& ours) {
  std::vector<double> ratios;
  for (int i = 0; i < kRounds; ++i) {
    const double theirs = round_us(eigens);
    ratios.push_back(theirs / round_us(ours));
  }
  std::nth_element(ratios.begin(), ratios.begin() + kRounds / 2, ratios.end());
  print_metric(metric, ratios[kRounds / 2], "ratio", "", kRounds * kCalls, note);
}

}  // namespace

void run_eigen() {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> feature(kWidth), rotated(kBits);
  for (float& value : feature) value = normal(random);
  std::vector<uint8_t> masks(reference::mask_size(kWidth, kBits)), code(kBits / 8);
  for (uint8_t& byte : masks) byte = static_cast<uint8_t>(random());
  for (uint8_t& byte : code) byte = static_cast<uint8_t>(random());
  const auto sign = [](const std::vector<uint8_t>& bits, int i) {
    return bits[i / 8] >> (i % 8) & 1 ? -1.0f : 1.0f;
  };
  volatile double sink = 0;

  // The rotation as matrix products: one column a block.
  Eigen::MatrixXf hadamard(kWidth, kWidth), blocks(kWidth, kBits / kWidth), next(kWidth, kBits / kWidth);
  for (int i = 0; i < kWidth; ++i)
    for (int j = 0; j < kWidth; ++j)
      hadamard(i, j) = std::popcount(static_cast<unsigned>(i & j)) % 2 ? -1.0f : 1.0f;
  report(
      "score.eigen_rotation_vs_ours",
      "three products with the Hadamard matrix for 8 blocks, signs not counted, against rotate()",
      [&] {
        blocks.colwise() = Eigen::Map<const Eigen::VectorXf>(feature.data(), kWidth);
        next.noalias() = hadamard * blocks;
        blocks.noalias() = hadamard * next;
        next.noalias() = hadamard * blocks;
        sink = next(0, 0);
      },
      [&] { reference::rotate(feature.data(), kWidth, kBits, masks.data(), rotated.data()); });

  Eigen::VectorXf signs(kBits);
  for (int i = 0; i < kBits; ++i) signs[i] = sign(code, i);
  const Eigen::Map<const Eigen::VectorXf> y(rotated.data(), kBits);
  reference::Sums sums = {};
  report(
      "score.eigen_sums_vs_ours",
      "dot product with signs expanded beforehand, and squared norm, against sums()",
      [&] { sink = signs.dot(y) + y.squaredNorm(); },
      [&] { reference::best_kernels().sums(code.data(), rotated.data(), kBits, sums); });
  static_cast<void>(sink);
}

}  // namespace visage::bench
