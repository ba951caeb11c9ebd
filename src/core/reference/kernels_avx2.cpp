// AVX2 kernels. Targets by attribute, for the reason that kernels_avx512.cpp gives.
#include "core/reference/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

#include "core/reference/rotation.h"

#define VISAGE_AVX2 __attribute__((target("avx2,popcnt")))
#define VISAGE_AVX2_INLINE VISAGE_AVX2 __attribute__((always_inline)) inline

namespace visage::reference {
namespace {

// Butterfly with the lane that `swapped` holds: a + b in the low lanes, a - b in the `High` ones.
template <int High>
VISAGE_AVX2_INLINE __m256 butterfly(__m256 x, __m256 swapped) {
  return _mm256_blend_ps(_mm256_add_ps(x, swapped), _mm256_sub_ps(swapped, x), High);
}

// Stages of half 1, 2 and 4, inside one register.
VISAGE_AVX2_INLINE __m256 inner_stages(__m256 x) {
  x = butterfly<0xAA>(x, _mm256_permute_ps(x, 0xB1));
  x = butterfly<0xCC>(x, _mm256_permute_ps(x, 0x4E));
  return butterfly<0xF0>(x, _mm256_permute2f128_ps(x, x, 0x01));
}

// Eight bits of a mask byte as sign bits of eight lanes.
VISAGE_AVX2_INLINE __m256 sign_bits(uint8_t byte) {
  const __m256i shift = _mm256_setr_epi32(31, 30, 29, 28, 27, 26, 25, 24);
  const __m256i spread = _mm256_sllv_epi32(_mm256_set1_epi32(byte), shift);
  return _mm256_castsi256_ps(_mm256_and_si256(spread, _mm256_set1_epi32(INT32_MIN)));
}

VISAGE_AVX2_INLINE __m256 flip_signs(__m256 x, uint8_t byte) {
  return _mm256_xor_ps(x, sign_bits(byte));
}

VISAGE_AVX2 void flip_block(float* values, size_t width, const uint8_t* masks) {
  for (size_t i = 0; i < width; i += 8)
    _mm256_storeu_ps(values + i, flip_signs(_mm256_loadu_ps(values + i), masks[i / 8]));
}

// Two stages at a time where there are two left: each value is loaded and stored half as often.
VISAGE_AVX2 void outer_stages(float* values, size_t width) {
  size_t half = 8;
  for (; half * 4 <= width; half *= 4) {
    for (size_t start = 0; start < width; start += 4 * half) {
      for (size_t i = start; i < start + half; i += 8) {
        const __m256 a = _mm256_loadu_ps(values + i), b = _mm256_loadu_ps(values + i + half);
        const __m256 c = _mm256_loadu_ps(values + i + 2 * half), d = _mm256_loadu_ps(values + i + 3 * half);
        const __m256 ab = _mm256_add_ps(a, b), a_b = _mm256_sub_ps(a, b);
        const __m256 cd = _mm256_add_ps(c, d), c_d = _mm256_sub_ps(c, d);
        _mm256_storeu_ps(values + i, _mm256_add_ps(ab, cd));
        _mm256_storeu_ps(values + i + half, _mm256_add_ps(a_b, c_d));
        _mm256_storeu_ps(values + i + 2 * half, _mm256_sub_ps(ab, cd));
        _mm256_storeu_ps(values + i + 3 * half, _mm256_sub_ps(a_b, c_d));
      }
    }
  }
  for (; half < width; half *= 2) {
    for (size_t i = 0; i < half; i += 8) {
      for (size_t start = 0; start < width; start += 2 * half) {
        const __m256 a = _mm256_loadu_ps(values + start + i), b = _mm256_loadu_ps(values + start + i + half);
        _mm256_storeu_ps(values + start + i, _mm256_add_ps(a, b));
        _mm256_storeu_ps(values + start + i + half, _mm256_sub_ps(a, b));
      }
    }
  }
}

VISAGE_AVX2 void rotate_block(float* values, size_t width, const uint8_t* masks) {
  flip_block(values, width, masks);
  for (size_t round = 1; round < kRounds; ++round) {
    masks += width / 8;
    for (size_t i = 0; i < width; i += 8)
      _mm256_storeu_ps(values + i, inner_stages(_mm256_loadu_ps(values + i)));
    outer_stages(values, width);
    flip_block(values, width, masks);
  }
}

VISAGE_AVX2 void pack_signs(const float* values, size_t count, uint8_t* code) {
  for (size_t i = 0; i < count; i += 8)
    code[i / 8] = static_cast<uint8_t>(
        _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(values + i), _mm256_setzero_ps(), _CMP_LT_OQ)));
}

VISAGE_AVX2 void sums(const uint8_t* code, const float* values, size_t count, Sums& running) {
  __m256 dot[2] = {_mm256_loadu_ps(running.dot), _mm256_loadu_ps(running.dot + 8)};
  __m256 square[2] = {_mm256_loadu_ps(running.square), _mm256_loadu_ps(running.square + 8)};
  for (size_t i = 0; i < count; i += kLanes) {
    for (size_t half = 0; half < 2; ++half) {
      const __m256 y = _mm256_loadu_ps(values + i + 8 * half);
      dot[half] = _mm256_add_ps(dot[half], flip_signs(y, code[i / 8 + half]));
      square[half] = _mm256_add_ps(square[half], _mm256_mul_ps(y, y));
    }
  }
  for (size_t half = 0; half < 2; ++half) {
    _mm256_storeu_ps(running.dot + 8 * half, dot[half]);
    _mm256_storeu_ps(running.square + 8 * half, square[half]);
  }
}

VISAGE_AVX2 uint32_t hamming(const uint8_t* a, const uint8_t* b, size_t size) {
  uint64_t distance = 0;
  for (size_t i = 0; i < size; i += 8) {
    uint64_t x, y;
    std::memcpy(&x, a + i, 8);
    std::memcpy(&y, b + i, 8);
    distance += static_cast<uint64_t>(_mm_popcnt_u64(x ^ y));
  }
  return static_cast<uint32_t>(distance);
}

constexpr Kernels kKernels = {Level::kAvx2, "avx2", rotate_block, pack_signs, sums, hamming};

}  // namespace

const Kernels* avx2_kernels() {
  static const bool supported = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
  return supported ? &kKernels : nullptr;
}

}  // namespace visage::reference

#else
namespace visage::reference {
const Kernels* avx2_kernels() {
  return nullptr;
}
}  // namespace visage::reference
#endif
