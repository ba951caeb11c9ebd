// AVX-512: eight codes at a time. Bits are counted in 64-bit lanes; a tree of shuffles adds the lanes of
// eight codes up at once, which takes a third of eight single reductions.
#include "core/gallery/search.h"

#if defined(__x86_64__)
// GCC 12 takes the headers' own _mm512_undefined_epi32() for a mistake (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

#define VISAGE_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq")))
#define VISAGE_AVX512_INLINE VISAGE_AVX512 __attribute__((always_inline)) inline

namespace visage::gallery {
namespace {

static_assert(kCodeWords == 16, "two registers a code");
constexpr size_t kAtOnce = 8;
// Codes from here to those that are asked for ahead: 4 kB. The processor's own prefetch ends at each page.
constexpr size_t kAhead = 32;

VISAGE_AVX512_INLINE __m512i counts(const uint64_t* code, __m512i low, __m512i high) {
  return _mm512_add_epi64(_mm512_popcnt_epi64(_mm512_xor_si512(_mm512_loadu_si512(code), low)),
                          _mm512_popcnt_epi64(_mm512_xor_si512(_mm512_loadu_si512(code + 8), high)));
}

// Sums of neighbouring lanes: a's in the even lanes, b's in the odd ones.
VISAGE_AVX512_INLINE __m512i add_pairs(__m512i a, __m512i b) {
  return _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}

// Sums of neighbouring blocks of two lanes: a's in the lower half, b's in the upper one.
VISAGE_AVX512_INLINE __m512i add_blocks(__m512i a, __m512i b) {
  return _mm512_add_epi64(_mm512_shuffle_i64x2(a, b, 0x88), _mm512_shuffle_i64x2(a, b, 0xDD));
}

// Both lines of a code. It may lie past the last one: nothing is read, so the address is a number here.
VISAGE_AVX512_INLINE void ask_for(const uint64_t* codes, size_t word) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(codes) + word * sizeof *codes;
  _mm_prefetch(reinterpret_cast<const char*>(address), _MM_HINT_T0);
  _mm_prefetch(reinterpret_cast<const char*>(address + 64), _MM_HINT_T0);
}

VISAGE_AVX512 size_t within(const uint64_t* codes, size_t count, const uint64_t* probe, uint32_t bound,
                            Hit* out) {
  const __m512i low = _mm512_loadu_si512(probe), high = _mm512_loadu_si512(probe + 8);
  const __m512i limit = _mm512_set1_epi64(bound);
  size_t found = 0, i = 0;
  for (; i + kAtOnce <= count; i += kAtOnce) {
    __m512i sums[kAtOnce];
    for (size_t code = 0; code < kAtOnce; ++code) {
      ask_for(codes, (i + code + kAhead) * kCodeWords);
      sums[code] = counts(codes + (i + code) * kCodeWords, low, high);
    }
    const __m512i first = add_blocks(add_pairs(sums[0], sums[1]), add_pairs(sums[2], sums[3]));
    const __m512i second = add_blocks(add_pairs(sums[4], sums[5]), add_pairs(sums[6], sums[7]));
    const __m512i distances = add_blocks(first, second);
    unsigned near = _mm512_cmple_epu64_mask(distances, limit);
    if (near == 0) continue;
    uint64_t values[kAtOnce];
    _mm512_storeu_si512(values, distances);
    for (; near != 0; near &= near - 1) {
      const auto code = static_cast<size_t>(__builtin_ctz(near));
      out[found++] = {static_cast<uint32_t>(i + code), static_cast<uint32_t>(values[code])};
    }
  }
  for (; i < count; ++i) {
    const auto distance =
        static_cast<uint32_t>(_mm512_reduce_add_epi64(counts(codes + i * kCodeWords, low, high)));
    if (distance <= bound) out[found++] = {static_cast<uint32_t>(i), distance};
  }
  return found;
}

constexpr Kernels kKernels = {reference::Level::kAvx512, within};

}  // namespace

const Kernels* avx512_kernels() {
  return reference::kernels_of(reference::Level::kAvx512) != nullptr ? &kKernels : nullptr;
}

}  // namespace visage::gallery

#else
namespace visage::gallery {
const Kernels* avx512_kernels() {
  return nullptr;
}
}  // namespace visage::gallery
#endif
