// The plain kernel. On x86-64 compiled twice, as the instruction that counts bits is younger than the
// architecture.
#include <bit>

#include "core/gallery/search.h"

namespace visage::gallery {
namespace {

[[gnu::always_inline]] inline size_t within(const uint64_t* codes, size_t count, const uint64_t* probe,
                                            uint32_t bound, Hit* out) {
  size_t found = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t* const code = codes + i * kCodeWords;
    uint32_t distance = 0;
    for (size_t word = 0; word < kCodeWords; ++word)
      distance += static_cast<uint32_t>(std::popcount(code[word] ^ probe[word]));
    out[found] = {static_cast<uint32_t>(i), distance};
    found += distance <= bound ? 1 : 0;
  }
  return found;
}

size_t within_plain(const uint64_t* codes, size_t count, const uint64_t* probe, uint32_t bound, Hit* out) {
  return within(codes, count, probe, bound, out);
}

#if defined(__x86_64__)
__attribute__((target("popcnt"))) size_t within_popcnt(const uint64_t* codes, size_t count,
                                                       const uint64_t* probe, uint32_t bound, Hit* out) {
  return within(codes, count, probe, bound, out);
}
#endif

size_t within_scalar(const uint64_t* codes, size_t count, const uint64_t* probe, uint32_t bound, Hit* out) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("popcnt")) return within_popcnt(codes, count, probe, bound, out);
#endif
  return within_plain(codes, count, probe, bound, out);
}

}  // namespace

const Kernels kScalarKernels = {reference::Level::kScalar, within_scalar};

}  // namespace visage::gallery
