// Containers whose memory is wiped before it is given back: request bodies, decoded images, tokens.
//
// Growing one wipes the block it leaves, so reserve() is an optimisation here and not a duty.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/secret.h"

namespace visage::sidecar {

template <typename T>
struct WipingAllocator {
  using value_type = T;

  WipingAllocator() = default;
  template <typename U>
  WipingAllocator(const WipingAllocator<U>&) {}

  T* allocate(size_t count) { return static_cast<T*>(::operator new(count * sizeof(T))); }
  void deallocate(T* memory, size_t count) {
    wipe(memory, count * sizeof(T));
    ::operator delete(memory);
  }
  template <typename U>
  bool operator==(const WipingAllocator<U>&) const {
    return true;
  }
};

using WipedBytes = std::vector<uint8_t, WipingAllocator<uint8_t>>;
// Strings of up to 15 characters live inside the object and are not covered.
using WipedString = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace visage::sidecar
