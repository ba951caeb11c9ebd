#include "core/gallery/search.h"

#if defined(__aarch64__)
#include <arm_neon.h>

namespace visage::gallery {
namespace {

size_t within(const uint64_t* codes, size_t count, const uint64_t* probe, uint32_t bound, Hit* out) {
  constexpr size_t kRegisters = kCodeWords / 2;
  uint64x2_t wanted[kRegisters];
  for (size_t i = 0; i < kRegisters; ++i) wanted[i] = vld1q_u64(probe + 2 * i);
  size_t found = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t* const code = codes + i * kCodeWords;
    uint8x16_t bytes = vdupq_n_u8(0);  // 8 at most in each from each register
    for (size_t j = 0; j < kRegisters; ++j)
      bytes = vaddq_u8(bytes, vcntq_u8(vreinterpretq_u8_u64(veorq_u64(vld1q_u64(code + 2 * j), wanted[j]))));
    const uint32_t distance = vaddlvq_u8(bytes);
    out[found] = {static_cast<uint32_t>(i), distance};
    found += distance <= bound ? 1 : 0;
  }
  return found;
}

constexpr Kernels kKernels = {reference::Level::kNeon, within};

}  // namespace

const Kernels* neon_kernels() {
  return &kKernels;
}

}  // namespace visage::gallery

#else
namespace visage::gallery {
const Kernels* neon_kernels() {
  return nullptr;
}
}  // namespace visage::gallery
#endif
