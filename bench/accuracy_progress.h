// One line on stderr that counts up, with the time left.
#pragma once

#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>

namespace visage::bench {

class Progress {
 public:
  Progress(std::string what, size_t total) : what_(std::move(what)), total_(total) {}
  ~Progress() {
    if (total_ != 0)
      std::fprintf(stderr, "\r%s: %zu of %zu in %.0f s%20s\n", what_.c_str(), done_, total_, seconds(), "");
  }

  void step() {
    const std::lock_guard lock(mutex_);
    ++done_;
    if (seconds() - shown_ < 1) return;
    shown_ = seconds();
    const double left = seconds() / static_cast<double>(done_) * static_cast<double>(total_ - done_);
    std::fprintf(stderr, "\r%s: %zu of %zu, %.0f s left   ", what_.c_str(), done_, total_, left);
  }
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::string what_;
  size_t total_, done_ = 0;
  double shown_ = 0;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace visage::bench
