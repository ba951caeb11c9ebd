// Exact search of a gallery: the sign codes nearest to a probe's, by Hamming distance.
//
// Codes of all people of a gallery are made under one seed, so their distances estimate angles (docs say
// how); they lie one after another, 128 bytes each, and one pass reads each once. What is found is a
// candidate: the 1:1 comparison with the person's own reference decides.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/reference/kernels.h"

namespace visage::gallery {

inline constexpr size_t kCodeBits = 1024;
inline constexpr size_t kCodeWords = kCodeBits / 64;

struct Hit {
  uint32_t place;  // of the code in the gallery
  uint32_t distance;
};

// A total order, so that an answer does not depend on how the work was cut up: of equal distances the lower
// place comes first.
constexpr bool nearer(const Hit& a, const Hit& b) {
  return a.distance != b.distance ? a.distance < b.distance : a.place < b.place;
}

// The k nearest of those that are offered, in the caller's memory.
class Nearest {
 public:
  // `room` holds `limit` hits, at least one. Distances above `most` are not wanted.
  Nearest(Hit* room, size_t limit, uint32_t most) : room_(room), limit_(limit), most_(most) {}
  void offer(const Hit& hit);
  // No code farther away than this can enter.
  uint32_t bound() const;
  // Sorts what was kept, the nearest first, and returns how many there are. Then nothing more may be offered.
  size_t sort();

 private:
  Hit* room_;
  size_t limit_;
  size_t count_ = 0;
  uint32_t most_;
};

// The inner loop, one a SIMD level. Writes places, counted from `codes`, and distances of all of `count`
// codes that are no farther than `bound` to `out`, which has room for `count`; returns how many.
struct Kernels {
  reference::Level level;
  size_t (*within)(const uint64_t* codes, size_t count, const uint64_t* probe, uint32_t bound, Hit* out);
};

// Null when this machine, or this build, lacks the level.
const Kernels* kernels_at(reference::Level level);
const Kernels& best_kernels();

extern const Kernels kScalarKernels;
const Kernels* avx2_kernels();
const Kernels* avx512_kernels();
const Kernels* neon_kernels();

// Offers codes [first, first + count) of a gallery that begins at `codes`, without those whose bit in `live`
// is not set (null: all are live). For a caller that looks at interrupts between calls.
void search(const Kernels& kernels, const uint64_t* codes, const uint64_t* live, size_t first, size_t count,
            const uint64_t* probe, Nearest& out);

}  // namespace visage::gallery
