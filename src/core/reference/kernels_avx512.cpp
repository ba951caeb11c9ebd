// AVX-512 kernels. Each function carries its target by attribute, so that no inline function of a header is
// compiled for a machine that may not have it.
#include "core/reference/kernels.h"

#if defined(__x86_64__)
// GCC 12 takes the headers' own _mm512_undefined_ps() for a mistake (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

#include <cstring>

#include "core/reference/rotation.h"

#define VISAGE_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq")))
#define VISAGE_AVX512_INLINE VISAGE_AVX512 __attribute__((always_inline)) inline

namespace visage::reference {
namespace {

constexpr size_t kWidthInRegisters = 256;  // 16 of 32 registers

// Butterfly with the lane that `swapped` holds: a + b in the low lanes, a - b in the `high` ones. Multiplying
// by one of either sign is exact, so this rounds once, as an addition does, and gives its bits; an addition
// and a subtraction under a mask would take the adder twice.
VISAGE_AVX512_INLINE __m512 butterfly(__m512 x, __m512 swapped, __mmask16 high) {
  const __m512 signs = _mm512_mask_blend_ps(high, _mm512_set1_ps(1.0f), _mm512_set1_ps(-1.0f));
  return _mm512_fmadd_ps(x, signs, swapped);
}

// Stages of half 1, 2, 4 and 8, inside one register.
VISAGE_AVX512_INLINE __m512 inner_stages(__m512 x) {
  x = butterfly(x, _mm512_permute_ps(x, 0xB1), 0xAAAA);
  x = butterfly(x, _mm512_permute_ps(x, 0x4E), 0xCCCC);
  x = butterfly(x, _mm512_shuffle_f32x4(x, x, 0xB1), 0xF0F0);
  return butterfly(x, _mm512_shuffle_f32x4(x, x, 0x4E), 0xFF00);
}

VISAGE_AVX512_INLINE __mmask16 load_mask(const uint8_t* bits) {
  uint16_t mask;
  std::memcpy(&mask, bits, sizeof mask);
  return mask;
}

VISAGE_AVX512_INLINE __m512 flip_signs(__m512 x, const uint8_t* bits) {
  const __m512i value = _mm512_castps_si512(x);
  const __m512i sign = _mm512_set1_epi32(INT32_MIN);
  return _mm512_castsi512_ps(_mm512_mask_xor_epi32(value, load_mask(bits), value, sign));
}

// A block that fits into registers: nothing but its first load and last store touches memory. The unrolling
// is what keeps it there.
template <int Registers>
VISAGE_AVX512 void rotate_in_registers(float* values, const uint8_t* masks) {
  __m512 x[Registers];
#pragma GCC unroll 16
  for (int r = 0; r < Registers; ++r) x[r] = flip_signs(_mm512_loadu_ps(values + 16 * r), masks + 2 * r);
#pragma GCC unroll 1
  for (size_t round = 1; round < kRounds; ++round) {
    masks += 2 * Registers;
#pragma GCC unroll 16
    for (int r = 0; r < Registers; ++r) x[r] = inner_stages(x[r]);
#pragma GCC unroll 4
    for (int half = 1; half < Registers; half *= 2) {
#pragma GCC unroll 16
      for (int r = 0; r < Registers; ++r) {
        if (r & half) continue;
        const __m512 a = x[r], b = x[r + half];
        x[r] = _mm512_add_ps(a, b);
        x[r + half] = _mm512_sub_ps(a, b);
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < Registers; ++r) x[r] = flip_signs(x[r], masks + 2 * r);
  }
#pragma GCC unroll 16
  for (int r = 0; r < Registers; ++r) _mm512_storeu_ps(values + 16 * r, x[r]);
}

VISAGE_AVX512 void rotate_in_memory(float* values, size_t width, const uint8_t* masks) {
  for (size_t i = 0; i < width; i += 16)
    _mm512_storeu_ps(values + i, flip_signs(_mm512_loadu_ps(values + i), masks + i / 8));
  for (size_t round = 1; round < kRounds; ++round) {
    masks += width / 8;
    for (size_t i = 0; i < width; i += 16)
      _mm512_storeu_ps(values + i, inner_stages(_mm512_loadu_ps(values + i)));
    for (size_t half = 16; half < width; half *= 2) {
      for (size_t start = 0; start < width; start += 2 * half) {
        for (size_t i = start; i < start + half; i += 16) {
          const __m512 a = _mm512_loadu_ps(values + i), b = _mm512_loadu_ps(values + i + half);
          _mm512_storeu_ps(values + i, _mm512_add_ps(a, b));
          _mm512_storeu_ps(values + i + half, _mm512_sub_ps(a, b));
        }
      }
    }
    for (size_t i = 0; i < width; i += 16)
      _mm512_storeu_ps(values + i, flip_signs(_mm512_loadu_ps(values + i), masks + i / 8));
  }
}

VISAGE_AVX512 void rotate_block(float* values, size_t width, const uint8_t* masks) {
  static_assert(kWidthInRegisters == 256);
  switch (width) {
    case 64:
      return rotate_in_registers<4>(values, masks);
    case 128:
      return rotate_in_registers<8>(values, masks);
    case 256:
      return rotate_in_registers<16>(values, masks);
    default:
      return rotate_in_memory(values, width, masks);
  }
}

VISAGE_AVX512 void pack_signs(const float* values, size_t count, uint8_t* code) {
  for (size_t i = 0; i < count; i += 16) {
    const uint16_t mask = _mm512_cmp_ps_mask(_mm512_loadu_ps(values + i), _mm512_setzero_ps(), _CMP_LT_OQ);
    std::memcpy(code + i / 8, &mask, sizeof mask);
  }
}

VISAGE_AVX512 void sums(const uint8_t* code, const float* values, size_t count, Sums& running) {
  __m512 dot = _mm512_loadu_ps(running.dot), square = _mm512_loadu_ps(running.square);
  for (size_t i = 0; i < count; i += 16) {
    const __m512 y = _mm512_loadu_ps(values + i);
    dot = _mm512_add_ps(dot, flip_signs(y, code + i / 8));
    square = _mm512_add_ps(square, _mm512_mul_ps(y, y));
  }
  _mm512_storeu_ps(running.dot, dot);
  _mm512_storeu_ps(running.square, square);
}

VISAGE_AVX512 uint32_t hamming(const uint8_t* a, const uint8_t* b, size_t size) {
  __m512i total = _mm512_setzero_si512();
  for (size_t i = 0; i < size; i += 64)
    total = _mm512_add_epi64(
        total, _mm512_popcnt_epi64(_mm512_xor_si512(_mm512_loadu_si512(a + i), _mm512_loadu_si512(b + i))));
  return static_cast<uint32_t>(_mm512_reduce_add_epi64(total));
}

constexpr Kernels kKernels = {Level::kAvx512, "avx512", rotate_block, pack_signs, sums, hamming};

}  // namespace

const Kernels* avx512_kernels() {
  static const bool supported = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                                __builtin_cpu_supports("avx512vpopcntdq");
  return supported ? &kKernels : nullptr;
}

}  // namespace visage::reference

#else
namespace visage::reference {
const Kernels* avx512_kernels() {
  return nullptr;
}
}  // namespace visage::reference
#endif
