// NEON kernels: part of every 64-bit ARM machine, so nothing is asked at run time.
#include "core/reference/kernels.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#include "core/reference/rotation.h"

namespace visage::reference {
namespace {

// Stages of half 1 and 2, inside one register.
inline float32x4_t inner_stages(float32x4_t x) {
  // even lanes a + b, odd lanes a - b
  float32x4_t even = vtrn1q_f32(x, x), odd = vtrn2q_f32(x, x);
  const uint32x4_t odd_lanes = {0, UINT32_MAX, 0, UINT32_MAX};
  x = vbslq_f32(odd_lanes, vsubq_f32(even, odd), vaddq_f32(even, odd));
  const float32x4_t low = vcombine_f32(vget_low_f32(x), vget_low_f32(x));
  const float32x4_t high = vcombine_f32(vget_high_f32(x), vget_high_f32(x));
  const uint32x4_t high_lanes = {0, 0, UINT32_MAX, UINT32_MAX};
  return vbslq_f32(high_lanes, vsubq_f32(low, high), vaddq_f32(low, high));
}

// Four bits of a mask as sign bits of four lanes.
inline uint32x4_t sign_bits(uint32_t nibble) {
  const int32x4_t shift = {31, 30, 29, 28};
  return vandq_u32(vshlq_u32(vdupq_n_u32(nibble), shift), vdupq_n_u32(0x80000000u));
}

inline float32x4_t flip_signs(float32x4_t x, const uint8_t* bits, size_t i) {
  const uint32_t nibble = bits[i / 8] >> (i % 8) & 15u;
  return vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(x), sign_bits(nibble)));
}

void flip_block(float* values, size_t width, const uint8_t* masks) {
  for (size_t i = 0; i < width; i += 4) vst1q_f32(values + i, flip_signs(vld1q_f32(values + i), masks, i));
}

void rotate_block(float* values, size_t width, const uint8_t* masks) {
  flip_block(values, width, masks);
  for (size_t round = 1; round < kRounds; ++round) {
    masks += width / 8;
    for (size_t i = 0; i < width; i += 4) vst1q_f32(values + i, inner_stages(vld1q_f32(values + i)));
    for (size_t half = 4; half < width; half *= 2) {
      for (size_t start = 0; start < width; start += 2 * half) {
        for (size_t i = start; i < start + half; i += 4) {
          const float32x4_t a = vld1q_f32(values + i), b = vld1q_f32(values + i + half);
          vst1q_f32(values + i, vaddq_f32(a, b));
          vst1q_f32(values + i + half, vsubq_f32(a, b));
        }
      }
    }
    flip_block(values, width, masks);
  }
}

void pack_signs(const float* values, size_t count, uint8_t* code) {
  const uint32x4_t weight_low = {1, 2, 4, 8}, weight_high = {16, 32, 64, 128};
  for (size_t i = 0; i < count; i += 8) {
    const uint32x4_t low = vandq_u32(vcltzq_f32(vld1q_f32(values + i)), weight_low);
    const uint32x4_t high = vandq_u32(vcltzq_f32(vld1q_f32(values + i + 4)), weight_high);
    code[i / 8] = static_cast<uint8_t>(vaddvq_u32(vorrq_u32(low, high)));
  }
}

void sums(const uint8_t* code, const float* values, size_t count, Sums& running) {
  float32x4_t dot[4], square[4];
  for (size_t j = 0; j < 4; ++j) {
    dot[j] = vld1q_f32(running.dot + 4 * j);
    square[j] = vld1q_f32(running.square + 4 * j);
  }
  for (size_t i = 0; i < count; i += kLanes) {
    for (size_t j = 0; j < 4; ++j) {
      const float32x4_t y = vld1q_f32(values + i + 4 * j);
      dot[j] = vaddq_f32(dot[j], flip_signs(y, code, i + 4 * j));
      square[j] = vaddq_f32(square[j], vmulq_f32(y, y));
    }
  }
  for (size_t j = 0; j < 4; ++j) {
    vst1q_f32(running.dot + 4 * j, dot[j]);
    vst1q_f32(running.square + 4 * j, square[j]);
  }
}

uint32_t hamming(const uint8_t* a, const uint8_t* b, size_t size) {
  uint32x4_t total = vdupq_n_u32(0);
  for (size_t i = 0; i < size; i += 16) {
    const uint8x16_t bits = vcntq_u8(veorq_u8(vld1q_u8(a + i), vld1q_u8(b + i)));
    total = vpadalq_u16(total, vpaddlq_u8(bits));
  }
  return vaddvq_u32(total);
}

constexpr Kernels kKernels = {Level::kNeon, "neon", rotate_block, pack_signs, sums, hamming};

}  // namespace

const Kernels* neon_kernels() {
  return &kKernels;
}

}  // namespace visage::reference

#else
namespace visage::reference {
const Kernels* neon_kernels() {
  return nullptr;
}
}  // namespace visage::reference
#endif
