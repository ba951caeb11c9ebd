#pragma once

#include <cstddef>

namespace visage::capture {

// What an upload may cost before and while it is decoded.
struct Limits {
  size_t max_bytes = size_t{12} << 20;
  size_t max_pixels = 25'000'000;  // width × height, read from the header before anything is decoded
  int max_side = 12'000;           // px
  int min_side = 48;               // px
  int decode_ms = 1'500;           // wall clock
};

}  // namespace visage::capture
