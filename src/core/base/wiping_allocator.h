// For containers whose memory is wiped before it is given back: request bodies, decoded images, tensors,
// tokens.
//
// Growing one wipes the block it leaves, so reserve() is an optimisation here and not a duty.
#pragma once

#include <memory>

#include "core/base/secret.h"

namespace visage {

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
  template <typename U>
  bool operator==(const WipingAllocator<U>&) const {
    return true;
  }
};

}  // namespace visage
