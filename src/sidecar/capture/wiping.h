// Memory for samples: wiped when it is freed.
#pragma once

#include <memory>
#include <vector>

#include "core/base/secret.h"

namespace visage::capture {

template <typename T>
struct WipingAllocator {
  using value_type = T;

  WipingAllocator() = default;
  template <typename U>
  WipingAllocator(const WipingAllocator<U>&) {}

  T* allocate(size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, size_t count) {
    wipe(memory, count * sizeof(T));
    std::allocator<T>().deallocate(memory, count);
  }
  friend bool operator==(const WipingAllocator&, const WipingAllocator&) { return true; }
};

// A tensor's values, or a copy of a sample's bytes.
template <typename T>
using WipedVector = std::vector<T, WipingAllocator<T>>;

// Makes every cv::Mat of the process wipe its pixels when it is freed, OpenCV's own temporary ones included,
// and keeps OpenCV on the caller's thread. Idempotent and thread-safe.
void prepare_opencv();

}  // namespace visage::capture
