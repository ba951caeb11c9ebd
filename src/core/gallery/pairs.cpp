#include "core/gallery/pairs.h"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numbers>
#include <thread>
#include <vector>

namespace visage::gallery {
namespace {

constexpr uint32_t kTileColumns = 256;  // 32 kB of codes

struct Sheet {
  const PairSearch& search;
  uint32_t last;
  std::atomic<uint32_t> next;  // row of the next tile
  Pair* out;
  size_t room;
  std::atomic<size_t> found{0};

  void note(uint32_t a, uint32_t b, uint32_t distance) {
    const size_t place = found.fetch_add(1, std::memory_order_relaxed);
    if (place < room) out[place] = {a, b, distance};
  }
};

void search_tile(Sheet& sheet, uint32_t first, uint32_t last) {
  const PairSearch& search = sheet.search;
  Hit hits[kTileColumns];
  for (uint32_t column = first + 1; column < search.count; column += kTileColumns) {
    const uint32_t end = std::min(search.count, column + kTileColumns);
    for (uint32_t row = first; row < last; ++row) {
      const uint32_t begin = std::max(column, row + 1);
      if (begin >= end) continue;
      const size_t near = search.kernels->within(search.codes + size_t{begin} * kCodeWords, end - begin,
                                                 search.codes + size_t{row} * kCodeWords, search.bound, hits);
      for (size_t i = 0; i < near; ++i) sheet.note(row, begin + hits[i].place, hits[i].distance);
    }
  }
}

void work(Sheet& sheet) {
  for (;;) {
    const uint32_t first = sheet.next.fetch_add(kTileRows, std::memory_order_relaxed);
    if (first >= sheet.last) return;
    search_tile(sheet, first, std::min(sheet.last, first + kTileRows));
  }
}

// Threads are made with all signals blocked: a handler of the caller's process must not run on them.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

uint32_t row_after(const PairSearch& search, uint32_t first, uint64_t pairs, unsigned threads) {
  uint32_t low = first + std::min(kTileRows * threads, search.count - first), high = search.count;
  const uint64_t wanted = pairs_before(search, first) + pairs * threads;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (pairs_before(search, middle) < wanted)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

Status find_pairs(const PairSearch& search, uint32_t first, uint32_t last, unsigned threads, Pair* out,
                  size_t room, size_t& found) {
  Sheet sheet = {search, std::min(last, search.count), first, out, room};
  bool short_of_threads = false;
  {
    std::vector<std::jthread> helpers;
    try {
      const SignalsBlocked blocked;
      for (unsigned i = 1; i < threads; ++i) helpers.emplace_back([&sheet] { work(sheet); });
    } catch (const std::exception&) {
      short_of_threads = true;
      sheet.next = sheet.last;
    }
    work(sheet);
  }
  found = sheet.found;
  if (short_of_threads) return Status::error(Code::kInternal, "cannot make a thread");
  return {};
}

uint32_t distance_at(double threshold) {
  if (threshold >= 1) return 0;
  return static_cast<uint32_t>(kCodeBits / std::numbers::pi * std::acos(std::max(threshold, -1.0)));
}

}  // namespace visage::gallery
