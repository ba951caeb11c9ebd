// Memory that is wiped when it goes out of scope. Holds keys, seeds, features and rotated features.
//
// Has a destructor, so the PostgreSQL layer must not make a database call while one is live; secrets live
// inside calls of src/core.
#pragma once

#include <string.h>

#include "core/base/bytes.h"

namespace visage {

// Zeroes memory in a way that the compiler may not remove. OPENSSL_cleanse() does too, eight bytes at a time:
// four times as slow for an opened reference.
inline void wipe(void* memory, size_t size) {
  if (size != 0) explicit_bzero(memory, size);
}

template <typename T>
class Secret {
 public:
  Secret() = default;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(&value, sizeof value); }

  T value;  // not initialised: large features would pay for it
};

template <size_t Size>
struct KeyBytes {
  uint8_t bytes[Size];

  Bytes view() const { return {bytes, Size}; }
  MutableBytes span() { return {bytes, Size}; }
};

}  // namespace visage
