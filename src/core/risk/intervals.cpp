#include "core/risk/intervals.h"

#include <algorithm>
#include <set>
#include <vector>

namespace visage::risk {
namespace {

constexpr uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

uint64_t big_endian(Bytes bytes) {
  uint64_t value = 0;
  for (const uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

bool is_mapped(Bytes bytes) {
  return bytes.size() == 16 && std::memcmp(bytes.data(), kMappedPrefix, sizeof kMappedPrefix) == 0;
}

// The lowest `bits` bits of 64.
uint64_t low_bits(int bits) {
  return bits <= 0 ? 0 : bits >= 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
}

// The address behind; false behind the last of its family.
bool successor(const Address& address, Address& out) {
  out = address;
  if (address.family == 4) {
    ++out.low;
    return address.low < 0xFFFFFFFF;
  }
  ++out.low;
  if (out.low == 0) ++out.high;
  return out.low != 0 || out.high != 0;
}

bool predecessor(const Address& address, Address& out) {
  out = address;
  if (address.low == 0 && (address.family == 4 || address.high == 0)) return false;
  if (address.low == 0) --out.high;
  --out.low;
  return true;
}

struct Edge {
  Address at;
  bool begins;
  uint32_t range;
};

}  // namespace

Address make_address(Bytes bytes) {
  if (bytes.size() == 4) return {4, 0, big_endian(bytes)};
  if (is_mapped(bytes)) return {4, 0, big_endian(bytes.subspan(12))};
  return {6, big_endian(bytes.first(8)), big_endian(bytes.subspan(8))};
}

void make_range(Bytes address, int bits, Range& out) {
  out.first = out.last = make_address(address);
  if (address.size() == 16 && out.first.family == 4) {
    if (bits < 96) {
      // Wider than what is mapped: an IPv6 network that happens to be written with a mapped address.
      out.first = out.last = {6, big_endian(address.first(8)), big_endian(address.subspan(8))};
    } else {
      bits -= 96;
    }
  }
  if (out.first.family == 4) {
    const uint64_t host = low_bits(32 - bits);
    out.first.low &= ~host;
    out.last.low |= host;
    return;
  }
  const uint64_t low_host = low_bits(128 - bits);
  const uint64_t high_host = low_bits(64 - bits);
  out.first.low &= ~low_host;
  out.first.high &= ~high_host;
  out.last.low |= low_host;
  out.last.high |= high_host;
}

Status cut_segments(std::span<const Range> ranges, std::span<Range> out, size_t& count) {
  count = 0;
  if (out.size() < 2 * ranges.size())
    return Status::error(Code::kInvalidArgument, "no room for the segments of %zu ranges", ranges.size());
  std::vector<Edge> edges;
  edges.reserve(2 * ranges.size());
  for (uint32_t i = 0; i < ranges.size(); ++i) {
    if (ranges[i].last < ranges[i].first || ranges[i].first.family != ranges[i].last.family)
      return Status::error(Code::kInvalidArgument, "range %u ends before it begins", ranges[i].entry);
    edges.push_back({ranges[i].first, true, i});
    // Where it no longer holds; one that reaches its family's end ends nowhere.
    if (Address behind; successor(ranges[i].last, behind)) edges.push_back({behind, false, i});
  }
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.at < b.at; });

  const auto first_chosen = [&](uint32_t a, uint32_t b) {
    if (ranges[a].expires_at != ranges[b].expires_at) return ranges[a].expires_at > ranges[b].expires_at;
    return ranges[a].entry != ranges[b].entry ? ranges[a].entry < ranges[b].entry : a < b;
  };
  std::set<uint32_t, decltype(first_chosen)> open(first_chosen);
  for (size_t i = 0; i < edges.size();) {
    const Address at = edges[i].at;
    // Nothing reaches from one family into the other.
    if (i > 0 && edges[i - 1].at.family != at.family) open.clear();
    for (; i < edges.size() && edges[i].at == at; ++i)
      edges[i].begins ? void(open.insert(edges[i].range)) : void(open.erase(edges[i].range));
    if (open.empty()) continue;
    const Range& chosen = ranges[*open.begin()];
    Address last = chosen.last;
    if (i < edges.size() && edges[i].at.family == at.family) predecessor(edges[i].at, last);
    Range* const previous = count > 0 ? &out[count - 1] : nullptr;
    Address behind;
    if (previous != nullptr && previous->entry == chosen.entry && previous->expires_at == chosen.expires_at &&
        successor(previous->last, behind) && behind == at)
      previous->last = last;
    else
      out[count++] = {at, last, chosen.expires_at, chosen.entry};
  }
  return {};
}

const Range* find_segment(std::span<const Range> segments, const Address& address) {
  auto behind = std::upper_bound(segments.begin(), segments.end(), address,
                                 [](const Address& a, const Range& segment) { return a < segment.first; });
  if (behind == segments.begin()) return nullptr;
  --behind;
  return address <= behind->last ? &*behind : nullptr;
}

}  // namespace visage::risk
