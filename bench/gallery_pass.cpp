#include "gallery_pass.h"

#include <bit>

#if defined(__x86_64__)
// GCC 12 takes the headers' own _mm512_undefined_epi32() for a mistake (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#endif

namespace visage::bench {
namespace {

#if defined(__x86_64__)
bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vpopcntdq");
}

// Four sums, by name: an addition does not wait for the one before, and none of them lies in memory.
__attribute__((target("avx512f,avx512vpopcntdq"))) uint64_t pass_avx512(const uint64_t* words, size_t count) {
  __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    a = _mm512_add_epi64(a, _mm512_popcnt_epi64(_mm512_loadu_si512(words + i)));
    b = _mm512_add_epi64(b, _mm512_popcnt_epi64(_mm512_loadu_si512(words + i + 8)));
    c = _mm512_add_epi64(c, _mm512_popcnt_epi64(_mm512_loadu_si512(words + i + 16)));
    d = _mm512_add_epi64(d, _mm512_popcnt_epi64(_mm512_loadu_si512(words + i + 24)));
  }
  auto total = static_cast<uint64_t>(
      _mm512_reduce_add_epi64(_mm512_add_epi64(_mm512_add_epi64(a, b), _mm512_add_epi64(c, d))));
  for (; i < count; ++i) total += static_cast<uint64_t>(std::popcount(words[i]));
  return total;
}

__attribute__((target("popcnt"))) uint64_t pass_popcnt(const uint64_t* words, size_t count) {
  uint64_t a = 0, b = 0, c = 0, d = 0;
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    a += static_cast<uint64_t>(__builtin_popcountll(words[i]));
    b += static_cast<uint64_t>(__builtin_popcountll(words[i + 1]));
    c += static_cast<uint64_t>(__builtin_popcountll(words[i + 2]));
    d += static_cast<uint64_t>(__builtin_popcountll(words[i + 3]));
  }
  for (; i < count; ++i) a += static_cast<uint64_t>(__builtin_popcountll(words[i]));
  return a + b + c + d;
}
#else
uint64_t pass_plain(const uint64_t* words, size_t count) {
  uint64_t total = 0;
  for (size_t i = 0; i < count; ++i) total += static_cast<uint64_t>(std::popcount(words[i]));
  return total;
}
#endif

}  // namespace

uint64_t popcount_pass(const uint64_t* words, size_t count) {
#if defined(__x86_64__)
  return has_avx512() ? pass_avx512(words, count) : pass_popcnt(words, count);
#else
  return pass_plain(words, count);
#endif
}

const char* pass_name() {
#if defined(__x86_64__)
  return has_avx512() ? "one pass, AVX-512 popcount" : "one pass, popcnt";
#else
  return "one pass, as compiled";
#endif
}

}  // namespace visage::bench
