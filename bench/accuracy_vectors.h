// One vector a picture, and their inner product.
#pragma once

#include <cstddef>
#include <vector>

#include "core/reference/rotation.h"

namespace visage::bench {

// Rows padded with zeros to the width of a rotation's block, a multiple of reference::kLanes.
class Vectors {
 public:
  Vectors() = default;
  Vectors(size_t count, size_t dimension)
      : width_(reference::block_width(dimension)), values_(count * width_), known_(count, 0) {}

  size_t width() const { return width_; }
  size_t size() const { return known_.size(); }
  float* row(size_t i) { return values_.data() + i * width_; }
  const float* row(size_t i) const { return values_.data() + i * width_; }
  // False: the picture gave no feature. Bytes, not vector<bool>: threads write neighbours.
  bool known(size_t i) const { return known_[i] != 0; }
  void set_known(size_t i) { known_[i] = 1; }

 private:
  size_t width_ = 0;
  std::vector<float> values_;
  std::vector<char> known_;
};

// In lanes, so that the compiler may use vector instructions without reordering a sum.
inline float dot(const float* a, const float* b, size_t width) {
  typedef float Lanes __attribute__((vector_size(16), aligned(4)));
  Lanes sum[4] = {};
  for (size_t i = 0; i < width; i += 16)
    for (size_t j = 0; j < 4; ++j)
      sum[j] +=
          *reinterpret_cast<const Lanes*>(a + i + 4 * j) * *reinterpret_cast<const Lanes*>(b + i + 4 * j);
  const Lanes all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  return (all[0] + all[1]) + (all[2] + all[3]);
}

}  // namespace visage::bench
