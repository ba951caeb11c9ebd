#include "core/reference/rotation.h"

#include <algorithm>
#include <cmath>

#include "core/base/secret.h"

namespace visage::reference {

void rotate(const float* feature, size_t dimension, size_t code_bits, const uint8_t* masks, float* out,
            const Kernels& kernels) {
  const size_t width = block_width(dimension);
  const size_t block_mask_size = kRounds * width / 8;
  // A whole block is rotated where its result belongs; a last one that is cut needs room of its own.
  for (size_t done = 0; done < code_bits; done += width, masks += block_mask_size) {
    alignas(64) float spare[kMaxWidth];
    const bool whole = code_bits - done >= width;
    float* block = whole ? out + done : spare;
    std::memcpy(block, feature, dimension * sizeof(float));
    std::memset(block + dimension, 0, (width - dimension) * sizeof(float));
    kernels.rotate_block(block, width, masks);
    if (whole) continue;
    std::memcpy(out + done, spare, (code_bits - done) * sizeof(float));
    wipe(spare, width * sizeof(float));
  }
}

void pack_signs(const float* rotated, size_t code_bits, uint8_t* code, const Kernels& kernels) {
  kernels.pack_signs(rotated, code_bits, code);
}

double asymmetric_score(const uint8_t* code, const float* rotated, size_t code_bits, const Kernels& kernels) {
  Sums sums;
  kernels.sums(code, rotated, code_bits, sums);
  double dot = 0, square = 0;
  for (size_t i = 0; i < kLanes; ++i) {
    dot += sums.dot[i];
    square += sums.square[i];
  }
  if (!(square > 0)) return -1;  // fail closed: a zero vector resembles nobody
  return dot / std::sqrt(static_cast<double>(code_bits) * square);
}

}  // namespace visage::reference
