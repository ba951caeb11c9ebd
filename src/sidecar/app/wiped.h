// Strings and byte vectors that wipe their memory: request bodies, tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/wiping_allocator.h"

namespace visage::sidecar {

using WipedBytes = std::vector<uint8_t, WipingAllocator<uint8_t>>;
// Strings of up to 15 characters live inside the object and are not covered.
using WipedString = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace visage::sidecar
