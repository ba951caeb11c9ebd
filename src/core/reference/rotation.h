// The seeded orthogonal rotation of RFR-1.
//
// For each block: y = D4·H·D3·H·D2·H·D1·x, with x padded with zeros to a power of two, H the Walsh–Hadamard
// transform and D1…D4 diagonal matrices of random signs, fresh in every block. H is left unscaled here: only
// signs and ratios of y are used. Output coordinate i of block k is coordinate k·width + i of the code; a
// code shorter than a block uses the block's first coordinates.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"
#include "core/reference/kernels.h"

namespace visage::reference {

inline constexpr size_t kMaxWidth = 2048;
inline constexpr size_t kMaxCodeBits = 2048;
inline constexpr size_t kRounds = 4;

// Width of a block for a feature of `dimension` values: the next power of two.
constexpr size_t block_width(size_t dimension) {
  size_t width = 64;
  while (width < dimension) width *= 2;
  return width;
}
constexpr size_t block_count(size_t dimension, size_t code_bits) {
  const size_t width = block_width(dimension);
  return (code_bits + width - 1) / width;
}
// Bytes of sign masks: one bit a sign, kRounds diagonals a block.
constexpr size_t mask_size(size_t dimension, size_t code_bits) {
  return block_count(dimension, code_bits) * kRounds * block_width(dimension) / 8;
}
inline constexpr size_t kMaxMaskSize = 1024;
static_assert(mask_size(64, kMaxCodeBits) <= kMaxMaskSize && mask_size(2048, kMaxCodeBits) <= kMaxMaskSize);

// Rotates feature[dimension] into out[code_bits]. `masks` has mask_size() bytes; a set bit is a minus sign,
// bit j of byte i is coordinate 8·i + j.
void rotate(const float* feature, size_t dimension, size_t code_bits, const uint8_t* masks, float* out,
            const Kernels& kernels = best_kernels());

// Packs signs: bit j of byte i is set where rotated[8·i + j] is negative.
void pack_signs(const float* rotated, size_t code_bits, uint8_t* code,
                const Kernels& kernels = best_kernels());

// Σ b_i·y_i / (√m·‖y‖), b_i = ±1 from the code, y the rotated probe of m = code_bits coordinates. In [-1, 1].
double asymmetric_score(const uint8_t* code, const float* rotated, size_t code_bits,
                        const Kernels& kernels = best_kernels());

// rotate() and asymmetric_score() in one, block by block: the rotated probe is never whole in memory.
double rotated_score(const float* feature, size_t dimension, size_t code_bits, const uint8_t* masks,
                     const uint8_t* code, const Kernels& kernels = best_kernels());

}  // namespace visage::reference
