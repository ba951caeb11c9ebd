// All pairs of near codes of one epoch: people who may be there under two names.
//
// Each code against each later one, n²/2 comparisons in all, in tiles: some rows at a time against a block of
// codes that stays in the nearest cache. Work is handed out by ranges of rows, so that a caller looks at
// interrupts in between and tells how far it is.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/status.h"
#include "core/gallery/search.h"

namespace visage::gallery {

struct Pair {
  uint32_t a, b;  // places, a < b
  uint32_t distance;
};

// A total order, so that a list does not depend on how the work was cut up: the nearest first.
constexpr bool nearer(const Pair& x, const Pair& y) {
  if (x.distance != y.distance) return x.distance < y.distance;
  return x.a != y.a ? x.a < y.a : x.b < y.b;
}

struct PairSearch {
  const Kernels* kernels;
  const uint64_t* codes;
  uint32_t count;
  uint32_t bound;  // pairs farther apart are not wanted
};

// How many pairs rows before `row` make: what is done, of pairs_before(search, search.count).
constexpr uint64_t pairs_before(const PairSearch& search, uint32_t row) {
  return row == 0 ? 0 : uint64_t{row} * (2 * uint64_t{search.count} - row - 1) / 2;
}

// Rows that a thread takes at once.
inline constexpr uint32_t kTileRows = 32;

// The first row behind `first` so that both and what is between make about `pairs` pairs for each thread. As
// many rows at least as all of them take at once: with millions of codes fewer would leave some without work.
uint32_t row_after(const PairSearch& search, uint32_t first, uint64_t pairs, unsigned threads);

// Pairs of rows [first, last) with all later codes, by that many threads, the caller's included. Writes as
// many as `room` to `out`, in no order; `found` is how many there are. Signals stay with the calling thread.
// kInternal when a thread cannot be made.
Status find_pairs(const PairSearch& search, uint32_t first, uint32_t last, unsigned threads, Pair* out,
                  size_t room, size_t& found);

// The largest distance of two codes whose estimated cosine reaches the threshold; 0 where none but equal
// codes do.
uint32_t distance_at(double threshold);

}  // namespace visage::gallery
