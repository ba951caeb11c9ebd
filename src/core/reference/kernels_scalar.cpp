// The reference implementation of the kernels: what the others must equal bit for bit.
#include <bit>
#include <cstring>

#include "core/reference/kernels.h"
#include "core/reference/rotation.h"

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

float with_sign_flipped_by(float value, uint32_t bit) {
  return std::bit_cast<float>(std::bit_cast<uint32_t>(value) ^ bit << 31);
}

uint32_t bit_of(const uint8_t* bits, size_t i) {
  return bits[i / 8] >> (i % 8) & 1u;
}

void rotate_block(float* values, size_t width, const uint8_t* masks) {
  for (size_t round = 0; round < kRounds; ++round, masks += width / 8) {
    if (round != 0) walsh_hadamard(values, width);
    for (size_t i = 0; i < width; ++i) values[i] = with_sign_flipped_by(values[i], bit_of(masks, i));
  }
}

void pack_signs(const float* values, size_t count, uint8_t* code) {
  for (size_t i = 0; i < count / 8; ++i) {
    uint8_t byte = 0;
    for (size_t j = 0; j < 8; ++j) byte |= static_cast<uint8_t>((values[8 * i + j] < 0) << j);
    code[i] = byte;
  }
}

void sums(const uint8_t* code, const float* values, size_t count, Sums& running) {
  for (size_t i = 0; i < count; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) {
      const float y = values[i + j];
      running.dot[j] += with_sign_flipped_by(y, bit_of(code, i + j));
      running.square[j] += y * y;
    }
  }
}

uint32_t hamming(const uint8_t* a, const uint8_t* b, size_t size) {
  uint32_t distance = 0;
  for (size_t i = 0; i < size; i += 8) {
    uint64_t x, y;
    std::memcpy(&x, a + i, 8);
    std::memcpy(&y, b + i, 8);
    distance += static_cast<uint32_t>(std::popcount(x ^ y));
  }
  return distance;
}

}  // namespace

const Kernels kScalarKernels = {Level::kScalar, "scalar", rotate_block, pack_signs, sums, hamming};

}  // namespace visage::reference
