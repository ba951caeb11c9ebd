#include "core/reference/rotation.h"

#include <algorithm>
#include <cmath>

#include "core/base/secret.h"

namespace visage::reference {
namespace {

// In-place Walsh–Hadamard transform, natural order, unscaled.
void walsh_hadamard(float* values, size_t width) {
  for (size_t half = 1; half < width; half *= 2) {
    for (size_t start = 0; start < width; start += 2 * half) {
      float* low = values + start;
      float* high = low + half;
      for (size_t i = 0; i < half; ++i) {
        const float a = low[i], b = high[i];
        low[i] = a + b;
        high[i] = a - b;
      }
    }
  }
}

void apply_signs(float* values, size_t width, const uint8_t* mask) {
  for (size_t i = 0; i < width; ++i) {
    const uint32_t sign = static_cast<uint32_t>(mask[i / 8] >> (i % 8) & 1) << 31;
    uint32_t bits;
    std::memcpy(&bits, &values[i], sizeof bits);
    bits ^= sign;
    std::memcpy(&values[i], &bits, sizeof bits);
  }
}

}  // namespace

void rotate(const float* feature, size_t dimension, size_t code_bits, const uint8_t* masks, float* out) {
  const size_t width = block_width(dimension);
  alignas(64) float block[kMaxWidth];
  for (size_t done = 0; done < code_bits; done += width) {
    std::memcpy(block, feature, dimension * sizeof(float));
    std::memset(block + dimension, 0, (width - dimension) * sizeof(float));
    for (size_t round = 0; round < kRounds; ++round, masks += width / 8) {
      if (round != 0) walsh_hadamard(block, width);
      apply_signs(block, width, masks);
    }
    std::memcpy(out + done, block, std::min(width, code_bits - done) * sizeof(float));
  }
  wipe(block, width * sizeof(float));
}

void pack_signs(const float* rotated, size_t code_bits, uint8_t* code) {
  for (size_t i = 0; i < code_bits / 8; ++i) {
    uint8_t byte = 0;
    for (size_t j = 0; j < 8; ++j) byte |= static_cast<uint8_t>((rotated[8 * i + j] < 0) << j);
    code[i] = byte;
  }
}

double asymmetric_score(const uint8_t* code, const float* rotated, size_t code_bits) {
  // Eight running sums in a fixed order, so that every SIMD level can give the same bits.
  float dot[8] = {}, square[8] = {};
  for (size_t i = 0; i < code_bits; i += 8) {
    for (size_t j = 0; j < 8; ++j) {
      const float y = rotated[i + j];
      dot[j] += (code[i / 8] >> j & 1) ? -y : y;
      square[j] += y * y;
    }
  }
  double dot_sum = 0, square_sum = 0;
  for (size_t j = 0; j < 8; ++j) {
    dot_sum += dot[j];
    square_sum += square[j];
  }
  if (!(square_sum > 0)) return -1;  // fail closed: a zero vector resembles nobody
  return dot_sum / (std::sqrt(static_cast<double>(code_bits)) * std::sqrt(square_sum));
}

}  // namespace visage::reference
