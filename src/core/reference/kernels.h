// The inner loops of the comparison, one table a SIMD level, chosen at run time.
//
// Written by hand because Eigen has no Walsh-Hadamard transform and no packed signs: as matrix products and
// with signs expanded it takes many times as long (bench-score prints how many). The cosine of two features
// is Eigen's.
//
// Every level gives the same bits as the scalar one: the transform is a fixed network of single additions and
// subtractions, and the sums run in kLanes lanes that are added up in one order.
#pragma once

#include <cstddef>
#include <cstdint>

namespace visage::reference {

enum class Level : uint8_t { kScalar, kAvx2, kAvx512, kNeon };

// Lanes of the running sums; code_bits and block widths are multiples of it.
inline constexpr size_t kLanes = 16;

struct Sums {
  float dot[kLanes];     // Σ ±y
  float square[kLanes];  // Σ y²
};

struct Kernels {
  Level level;
  const char* name;
  // One block in place: values[width], width a power of two from 64 to 2048; masks holds four diagonals of
  // width bits each.
  void (*rotate_block)(float* values, size_t width, const uint8_t* masks);
  void (*pack_signs)(const float* values, size_t count, uint8_t* code);
  // Adds to `running`; both arrays start at a multiple of kLanes of the code.
  void (*sums)(const uint8_t* code, const float* values, size_t count, Sums& running);
  // Differing bits of two codes of `size` bytes, a multiple of 64.
  uint32_t (*hamming)(const uint8_t* a, const uint8_t* b, size_t size);
};

// Null when this machine, or this build, lacks the level.
const Kernels* kernels_of(Level level);
// The fastest level of this machine.
const Kernels& best_kernels();

// Tables of the single files; null where the architecture is another.
extern const Kernels kScalarKernels;
const Kernels* avx2_kernels();
const Kernels* avx512_kernels();
const Kernels* neon_kernels();

}  // namespace visage::reference
