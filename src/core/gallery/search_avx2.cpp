// AVX2: bits of a byte are two look-ups of a nibble (Mula, Kurz, Lemire, "Faster population counts using AVX2
// instructions", 2018); four codes' sums are added up at once.
#include "core/gallery/search.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define VISAGE_AVX2 __attribute__((target("avx2")))
#define VISAGE_AVX2_INLINE VISAGE_AVX2 __attribute__((always_inline)) inline

namespace visage::gallery {
namespace {

constexpr size_t kAtOnce = 4;
constexpr size_t kRegisters = kCodeWords / 4;

VISAGE_AVX2_INLINE __m256i load(const uint64_t* words) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words));
}

// Four sums of 64 bits.
VISAGE_AVX2_INLINE __m256i counts(const uint64_t* code, const __m256i* probe) {
  const __m256i bits =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
  const __m256i nibble = _mm256_set1_epi8(0x0F);
  __m256i bytes = _mm256_setzero_si256();  // 8 at most in each from each register
  for (size_t i = 0; i < kRegisters; ++i) {
    const __m256i differing = _mm256_xor_si256(load(code + 4 * i), probe[i]);
    bytes = _mm256_add_epi8(bytes, _mm256_shuffle_epi8(bits, _mm256_and_si256(differing, nibble)));
    bytes = _mm256_add_epi8(
        bytes, _mm256_shuffle_epi8(bits, _mm256_and_si256(_mm256_srli_epi16(differing, 4), nibble)));
  }
  return _mm256_sad_epu8(bytes, _mm256_setzero_si256());
}

VISAGE_AVX2_INLINE __m256i add_pairs(__m256i a, __m256i b) {
  return _mm256_add_epi64(_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
}

VISAGE_AVX2 size_t within(const uint64_t* codes, size_t count, const uint64_t* probe, uint32_t bound,
                          Hit* out) {
  __m256i wanted[kRegisters];
  for (size_t i = 0; i < kRegisters; ++i) wanted[i] = load(probe + 4 * i);
  // Distances fit 31 bits, so a signed comparison does; a bound beyond them lets everything pass.
  const __m256i limit = _mm256_set1_epi64x(bound);
  size_t found = 0, i = 0;
  for (; i + kAtOnce <= count; i += kAtOnce) {
    const uint64_t* const code = codes + i * kCodeWords;
    const __m256i first = add_pairs(counts(code, wanted), counts(code + kCodeWords, wanted));
    const __m256i second =
        add_pairs(counts(code + 2 * kCodeWords, wanted), counts(code + 3 * kCodeWords, wanted));
    const __m256i distances = _mm256_add_epi64(_mm256_permute2x128_si256(first, second, 0x20),
                                               _mm256_permute2x128_si256(first, second, 0x31));
    unsigned far =
        static_cast<unsigned>(_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(distances, limit))));
    if (far == 0xF) continue;
    uint64_t values[kAtOnce];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(values), distances);
    for (unsigned near = ~far & 0xF; near != 0; near &= near - 1) {
      const auto at = static_cast<size_t>(__builtin_ctz(near));
      out[found++] = {static_cast<uint32_t>(i + at), static_cast<uint32_t>(values[at])};
    }
  }
  for (; i < count; ++i) {
    uint64_t values[kAtOnce];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(values), counts(codes + i * kCodeWords, wanted));
    const auto distance = static_cast<uint32_t>(values[0] + values[1] + values[2] + values[3]);
    if (distance <= bound) out[found++] = {static_cast<uint32_t>(i), distance};
  }
  return found;
}

constexpr Kernels kKernels = {reference::Level::kAvx2, within};

}  // namespace

const Kernels* avx2_kernels() {
  return reference::kernels_of(reference::Level::kAvx2) != nullptr ? &kKernels : nullptr;
}

}  // namespace visage::gallery

#else
namespace visage::gallery {
const Kernels* avx2_kernels() {
  return nullptr;
}
}  // namespace visage::gallery
#endif
