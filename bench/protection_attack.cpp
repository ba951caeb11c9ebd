#include "protection_attack.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numbers>
#include <numeric>

namespace visage::bench::protection {
namespace {

using Signs = std::vector<float>;

// The rotation of one reference and its transpose, scaled so that every bit's direction is a unit vector.
class Rotation {
 public:
  Rotation(const Stolen& stolen, size_t dimension)
      : stolen_(stolen),
        dimension_(dimension),
        width_(reference::block_width(dimension)),
        scale_(1 / std::pow(static_cast<float>(width_), 1.5f)) {}

  void forward(const Signs& x, float* out) const {
    reference::rotate(x.data(), dimension_, stolen_.code_bits, stolen_.opened->masks, out);
    for (size_t i = 0; i < stolen_.code_bits; ++i) out[i] *= scale_;
  }

  // D4·H·D3·H·D2·H·D1 transposed is the same network with the diagonals in the other order.
  void add_transposed(const float* y, Feature& out) const {
    const size_t diagonal = width_ / 8;
    std::vector<uint8_t> masks(reference::kRounds * diagonal);
    Signs in(width_), back(width_);
    for (size_t done = 0, at = 0; done < stolen_.code_bits; done += width_, at += masks.size()) {
      for (size_t r = 0; r < reference::kRounds; ++r)
        std::copy_n(stolen_.opened->masks + at + (reference::kRounds - 1 - r) * diagonal, diagonal,
                    masks.data() + r * diagonal);
      const size_t used = std::min(width_, stolen_.code_bits - done);
      std::fill(in.begin(), in.end(), 0.0f);
      std::copy_n(y + done, used, in.begin());
      reference::best_kernels().rotate_block(in.data(), width_, masks.data());
      for (size_t i = 0; i < dimension_; ++i) out[i] += static_cast<double>(in[i] * scale_);
    }
  }

  size_t bits() const { return stolen_.code_bits; }
  float sign(size_t bit) const {
    return (stolen_.opened->code[bit / 8] >> (bit % 8) & 1) != 0 ? -1.0f : 1.0f;
  }

 private:
  Stolen stolen_;
  size_t dimension_, width_;
  float scale_;
};

// φ(u)/Φ(u), the pull of a sign whose guess has the margin u; its asymptote where Φ underflows.
double pull(double u) {
  if (u < -25) return -u;
  const double density = std::exp(-u * u / 2) / std::sqrt(2 * std::numbers::pi);
  return density / (0.5 * std::erfc(-u / std::numbers::sqrt2));
}

}  // namespace

Feature back_project(std::span<const Stolen> stolen, size_t dimension) {
  Feature out(dimension, 0);
  for (const Stolen& one : stolen) {
    const Rotation rotation(one, dimension);
    Signs signs(one.code_bits);
    for (size_t i = 0; i < signs.size(); ++i) signs[i] = rotation.sign(i);
    rotation.add_transposed(signs.data(), out);
  }
  return out;
}

double product_to_score(size_t dimension, size_t code_bits) {
  return std::sqrt(std::numbers::pi / 2 / static_cast<double>(code_bits) /
                   static_cast<double>(reference::block_count(dimension, code_bits)));
}

Feature expected_feature(std::span<const Stolen> stolen, const Population& population) {
  constexpr int kSteps = 30;
  constexpr double kDamping = 0.7;  // share of the new message; plain steps can swing
  const size_t d = population.dimension;
  const double width = static_cast<double>(reference::block_width(d));
  std::vector<Rotation> rotations;
  std::vector<size_t> begin;
  size_t bits = 0;
  for (const Stolen& one : stolen) {
    rotations.emplace_back(one, d);
    begin.push_back(bits);
    bits += one.code_bits;
  }
  const double blocks = static_cast<double>(bits) / width;  // RᵀR = blocks · 1
  const Feature prior = population.to_axes(population.mean);

  Feature estimate = population.mean;
  double variance = population.total_variance / width;  // of a bit's value before its sign is known
  Signs x(d), guess(bits), message(bits), cavity(bits);
  double precision = 0;  // of the messages from the signs
  for (int step = 0; step < kSteps; ++step) {
    std::copy(estimate.begin(), estimate.end(), x.begin());
    for (size_t k = 0; k < rotations.size(); ++k) rotations[k].forward(x, guess.data() + begin[k]);
    // The guess without what the signs themselves have said so far.
    const double cavity_precision = std::max(1 / variance - precision, 1e-6 / variance);
    const double cavity_variance = 1 / cavity_precision, deviation = std::sqrt(cavity_variance);
    double left = 0;
    Signs moved(bits);
    for (size_t k = 0; k < rotations.size(); ++k) {
      for (size_t i = 0; i < rotations[k].bits(); ++i) {
        const size_t at = begin[k] + i;
        cavity[at] = static_cast<float>((guess[at] / variance - message[at] * precision) * cavity_variance);
        const double sign = rotations[k].sign(i), u = sign * cavity[at] / deviation, p = pull(u);
        moved[at] = static_cast<float>(cavity[at] + sign * deviation * p);
        left += cavity_variance * std::max(1 - p * (p + u), 0.0);
      }
    }
    left = std::max(left / static_cast<double>(bits), 1e-6 * cavity_variance);
    const double fresh = std::max(1 / left - cavity_precision, 1e-9);
    for (size_t i = 0; i < bits; ++i) {
      const double value = (moved[i] / left - cavity[i] * cavity_precision) / fresh;
      message[i] = static_cast<float>(step == 0 ? value : kDamping * value + (1 - kDamping) * message[i]);
    }
    precision = step == 0 ? fresh : std::pow(fresh, kDamping) * std::pow(precision, 1 - kDamping);

    Feature pulled(d, 0);
    for (size_t k = 0; k < rotations.size(); ++k) rotations[k].add_transposed(&message[begin[k]], pulled);
    Feature along = population.to_axes(pulled);
    double trace = 0;
    for (size_t k = 0; k < d; ++k) {
      const double posterior = 1 / (1 / population.variance[k] + precision * blocks);
      along[k] = posterior * (prior[k] / population.variance[k] + precision * along[k]);
      trace += posterior;
    }
    estimate = population.from_axes(along);
    variance = trace / width;
  }
  return estimate;
}

double cosine(const Feature& a, const Feature& b) {
  const auto product = [](const Feature& u, const Feature& v) {
    return std::inner_product(u.begin(), u.end(), v.begin(), 0.0);
  };
  return product(a, b) / std::sqrt(product(a, a) * product(b, b));
}

double cosine(const Feature& a, const float* b) {
  return cosine(a, Feature(b, b + a.size()));
}

void add_unit(Feature& sum, const Feature& more) {
  const double length = std::sqrt(std::inner_product(more.begin(), more.end(), more.begin(), 0.0));
  for (size_t i = 0; i < sum.size(); ++i) sum[i] += more[i] / length;
}

probe::Contents probe_of(const Feature& feature, const probe::Contents& like) {
  probe::Contents probe = like;
  const std::vector<float> values(feature.begin(), feature.end());
  if (const Status status = probe::set_feature(values, probe); !status.ok()) {
    std::fprintf(stderr, "bench-protection: %s\n", status.message);
    std::exit(1);
  }
  return probe;
}

}  // namespace visage::bench::protection
