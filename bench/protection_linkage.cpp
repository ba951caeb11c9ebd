#include "protection_linkage.h"

#include <algorithm>
#include <bit>

namespace visage::bench::protection {
namespace {

// Unscaled Walsh–Hadamard transform in natural order.
void transform(float* values, size_t width) {
  for (size_t half = 1; half < width; half *= 2)
    for (size_t i = 0; i < width; i += 2 * half)
      for (size_t j = i; j < i + half; ++j) {
        const float a = values[j], b = values[j + half];
        values[j] = a + b;
        values[j + half] = a - b;
      }
}

}  // namespace

double hamming(Bytes a, Bytes b) {
  int bits = 0;
  for (size_t i = 0; i < a.size(); ++i) bits += std::popcount(static_cast<uint8_t>(a[i] ^ b[i]));
  return bits / (8.0 * static_cast<double>(a.size()));
}

Spectrum spectrum_of(Bytes code, size_t width) {
  Spectrum out;
  for (size_t bit = 0; bit < code.size() * 8; ++bit)
    out.signs.push_back((code[bit / 8] >> (bit % 8) & 1) != 0 ? -1.0f : 1.0f);
  out.transformed = out.signs;
  for (size_t at = 0; at + width <= out.transformed.size(); at += width)
    transform(&out.transformed[at], width);
  return out;
}

size_t Learned::terms() const {
  const size_t blocks = code_bits_ / width_;
  return code_bits_ + width_ + blocks * blocks;
}

void Learned::terms_of(const Spectrum& a, const Spectrum& b, std::vector<float>& out) const {
  out.assign(terms(), 0);
  for (size_t i = 0; i < code_bits_; ++i) out[i] = a.signs[i] * b.signs[i];
  // Σ_i a[i]·b[i ⊕ k] for every k at once: the product of the transforms, transformed.
  float* shifted = &out[code_bits_];
  for (size_t i = 0; i < code_bits_; ++i) shifted[i % width_] += a.transformed[i] * b.transformed[i];
  transform(shifted, width_);
  float* pairs = shifted + width_;
  for (size_t p = 0; p < code_bits_; p += width_)
    for (size_t q = 0; q < code_bits_; q += width_, ++pairs)
      for (size_t i = 0; i < width_; ++i) *pairs += a.signs[p + i] * b.signs[q + i];
}

void Learned::teach(const Spectrum& a, const Spectrum& b, bool mated) {
  std::vector<float> terms;
  terms_of(a, b, terms);
  for (std::vector<double>* sums : {&sum_[0], &sum_[1], &square_}) sums->resize(terms.size());
  for (size_t i = 0; i < terms.size(); ++i) {
    const double term = static_cast<double>(terms[i]);
    sum_[mated ? 1 : 0][i] += term;
    square_[i] += term * term;
  }
  ++count_[mated ? 1 : 0];
}

void Learned::finish() {
  weights_.assign(square_.size(), 0);
  const auto n0 = static_cast<double>(count_[0]), n1 = static_cast<double>(count_[1]);
  for (size_t i = 0; i < square_.size(); ++i) {
    const double mean = (sum_[0][i] + sum_[1][i]) / (n0 + n1);
    const double variance = square_[i] / (n0 + n1) - mean * mean;
    if (variance > 0) weights_[i] = (sum_[1][i] / n1 - sum_[0][i] / n0) / variance;
  }
}

double Learned::score(const Spectrum& a, const Spectrum& b) const {
  std::vector<float> terms;
  terms_of(a, b, terms);
  double sum = 0;
  for (size_t i = 0; i < terms.size(); ++i) sum += weights_[i] * static_cast<double>(terms[i]);
  return sum;
}

}  // namespace visage::bench::protection
