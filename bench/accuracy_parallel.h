// A loop over every core, with progress on stderr.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "accuracy_progress.h"

namespace visage::bench {

// Calls work(i) for 0 ≤ i < count. Each thread makes its own worker, since a crypto engine belongs to one
// thread; what a worker owns is destroyed in that thread. False when a call returned false; the rest is then
// left out.
using Work = std::function<bool(size_t)>;
inline bool on_every_core(const char* what, size_t count, const std::function<Work()>& make_worker) {
  std::atomic<size_t> next{0};
  std::atomic<bool> fine{true};
  Progress progress(what, count);
  const auto loop = [&] {
    const Work work = make_worker();
    for (size_t i; fine && (i = next++) < count; progress.step())
      if (!work(i)) fine = false;
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) threads.emplace_back(loop);
  for (std::thread& thread : threads) thread.join();
  return fine;
}

}  // namespace visage::bench
