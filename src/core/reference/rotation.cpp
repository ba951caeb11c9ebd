#include "core/reference/rotation.h"

#include <algorithm>
#include <cmath>

#include "core/base/secret.h"

namespace visage::reference {

namespace {

struct Block {
  alignas(64) float values[kMaxWidth];
};

void load_block(Block& block, const float* feature, size_t dimension, size_t width) {
  std::memcpy(block.values, feature, dimension * sizeof(float));
  std::memset(block.values + dimension, 0, (width - dimension) * sizeof(float));
}

double score_of(const Sums& sums, size_t code_bits) {
  double dot = 0, square = 0;
  for (size_t i = 0; i < kLanes; ++i) {
    dot += sums.dot[i];
    square += sums.square[i];
  }
  if (!(square > 0)) return -1;  // fail closed: a zero vector resembles nobody
  return dot / std::sqrt(static_cast<double>(code_bits) * square);
}

}  // namespace

void rotate(const float* feature, size_t dimension, size_t code_bits, const uint8_t* masks, float* out,
            const Kernels& kernels) {
  const size_t width = block_width(dimension);
  Block block;
  for (size_t done = 0; done < code_bits; done += width, masks += kRounds * width / 8) {
    load_block(block, feature, dimension, width);
    kernels.rotate_block(block.values, width, masks);
    std::memcpy(out + done, block.values, std::min(width, code_bits - done) * sizeof(float));
  }
  wipe(block.values, width * sizeof(float));
}

void pack_signs(const float* rotated, size_t code_bits, uint8_t* code, const Kernels& kernels) {
  kernels.pack_signs(rotated, code_bits, code);
}

double asymmetric_score(const uint8_t* code, const float* rotated, size_t code_bits, const Kernels& kernels) {
  Sums sums = {};
  kernels.sums(code, rotated, code_bits, sums);
  return score_of(sums, code_bits);
}

double rotated_score(const float* feature, size_t dimension, size_t code_bits, const uint8_t* masks,
                     const uint8_t* code, const Kernels& kernels) {
  const size_t width = block_width(dimension);
  Block block;
  Sums sums = {};
  for (size_t done = 0; done < code_bits; done += width, masks += kRounds * width / 8) {
    load_block(block, feature, dimension, width);
    kernels.rotate_block(block.values, width, masks);
    kernels.sums(code + done / 8, block.values, std::min(width, code_bits - done), sums);
  }
  wipe(block.values, width * sizeof(float));
  return score_of(sums, code_bits);
}

}  // namespace visage::reference
