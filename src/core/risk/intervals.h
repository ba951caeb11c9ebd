// Address ranges, thousands of them: which one is an address in?
//
// Ranges may overlap; they are cut once into disjoint segments, sorted, and found by bisection. IPv4 and IPv6
// are apart: ::/0 covers no IPv4 address. An IPv4-mapped IPv6 address is the IPv4 address, or a caller could
// walk around every IPv4 range by spelling.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <span>

#include "core/base/bytes.h"
#include "core/base/status.h"

namespace visage::risk {

struct Address {
  uint8_t family = 0;  // 4 or 6
  uint64_t high = 0;
  uint64_t low = 0;  // of IPv4: the 32 bits

  friend auto operator<=>(const Address&, const Address&) = default;
};

// 4 or 16 bytes in network order.
Address make_address(Bytes bytes);

inline constexpr int64_t kForEver = std::numeric_limits<int64_t>::max();

struct Range {
  Address first;
  Address last;
  int64_t expires_at;
  uint32_t entry;
};
// The network of `bits` leading bits around an address, in the address's own family. A mapped network of 96
// bits or more is the IPv4 one.
void make_range(Bytes address, int bits, Range& out);

// What lies in several ranges belongs to the one that expires last, the lowest entry of equals. `out` needs
// room for 2 × ranges; kInvalidArgument when it has less, or for a range that ends before it begins.
Status cut_segments(std::span<const Range> ranges, std::span<Range> out, size_t& count);

// Null when no segment holds the address.
const Range* find_segment(std::span<const Range> segments, const Address& address);

}  // namespace visage::risk
