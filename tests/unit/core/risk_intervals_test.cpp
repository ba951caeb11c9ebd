// Address ranges of deny-lists and rules. [8.1.4d]
#include "core/risk/intervals.h"

#include <gtest/gtest.h>

#include <arpa/inet.h>

#include <random>
#include <string>
#include <vector>

namespace visage::risk {
namespace {

std::vector<uint8_t> parse(const std::string& text) {
  std::vector<uint8_t> bytes(text.find(':') == std::string::npos ? 4 : 16);
  EXPECT_EQ(inet_pton(bytes.size() == 4 ? AF_INET : AF_INET6, text.c_str(), bytes.data()), 1) << text;
  return bytes;
}

Address address(const std::string& text) {
  return make_address(parse(text));
}

Range range(const std::string& text, int bits, uint32_t entry, int64_t expires_at = kForEver) {
  Range out = {};
  make_range(parse(text), bits, out);
  out.entry = entry;
  out.expires_at = expires_at;
  return out;
}

std::vector<Range> cut(const std::vector<Range>& ranges) {
  std::vector<Range> out(2 * ranges.size());
  size_t count = 0;
  EXPECT_TRUE(cut_segments(ranges, out, count).ok());
  out.resize(count);
  for (size_t i = 1; i < count; ++i) EXPECT_LT(out[i - 1].last, out[i].first);
  return out;
}

// -1 when it lies in none.
int entry_of(const std::vector<Range>& segments, const std::string& text) {
  const Range* found = find_segment(segments, address(text));
  return found == nullptr ? -1 : static_cast<int>(found->entry);
}

TEST(RiskIntervals, BothEndsBelongToANetwork) {
  const auto segments = cut({range("10.1.2.3", 8, 1), range("192.0.2.9", 32, 2), range("2001:db8::", 33, 3)});
  EXPECT_EQ(entry_of(segments, "9.255.255.255"), -1);
  EXPECT_EQ(entry_of(segments, "10.0.0.0"), 1);
  EXPECT_EQ(entry_of(segments, "10.255.255.255"), 1);
  EXPECT_EQ(entry_of(segments, "11.0.0.0"), -1);
  EXPECT_EQ(entry_of(segments, "192.0.2.8"), -1);
  EXPECT_EQ(entry_of(segments, "192.0.2.9"), 2);
  EXPECT_EQ(entry_of(segments, "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff"), -1);
  EXPECT_EQ(entry_of(segments, "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"), 3);
  EXPECT_EQ(entry_of(segments, "2001:db8:8000::"), -1);
}

TEST(RiskIntervals, EverythingOfOneFamilyIsNothingOfTheOther) {
  const auto four = cut({range("0.0.0.0", 0, 4)});
  EXPECT_EQ(entry_of(four, "255.255.255.255"), 4);
  EXPECT_EQ(entry_of(four, "::"), -1);
  const auto six = cut({range("::", 0, 6)});
  EXPECT_EQ(entry_of(six, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 6);
  EXPECT_EQ(entry_of(six, "0.0.0.0"), -1);
  const auto both = cut({range("0.0.0.0", 0, 4), range("::", 0, 6)});
  EXPECT_EQ(entry_of(both, "255.255.255.255"), 4);
  EXPECT_EQ(entry_of(both, "::"), 6);
}

// Or a spelling would walk around every IPv4 range.
TEST(RiskIntervals, AMappedAddressIsTheOneItMaps) {
  const auto segments = cut({range("203.0.113.0", 24, 1), range("::ffff:198.51.100.0", 120, 2)});
  EXPECT_EQ(entry_of(segments, "::ffff:203.0.113.7"), 1);
  EXPECT_EQ(entry_of(segments, "::ffff:203.0.114.7"), -1);
  EXPECT_EQ(entry_of(segments, "198.51.100.200"), 2);
}

TEST(RiskIntervals, OverlapBelongsToWhatLastsLongest) {
  const auto segments =
      cut({range("10.0.0.0", 8, 1, 100), range("10.1.0.0", 16, 2), range("10.1.1.0", 24, 3, 50)});
  EXPECT_EQ(entry_of(segments, "10.0.5.5"), 1);
  EXPECT_EQ(entry_of(segments, "10.1.5.5"), 2);
  EXPECT_EQ(entry_of(segments, "10.1.1.5"), 2);
  EXPECT_EQ(entry_of(segments, "10.2.0.0"), 1);
}

TEST(RiskIntervals, NeighboursAndNothing) {
  EXPECT_EQ(entry_of(cut({}), "10.0.0.1"), -1);
  const auto segments = cut({range("10.0.0.0", 9, 1), range("10.128.0.0", 9, 2)});
  EXPECT_EQ(entry_of(segments, "10.127.255.255"), 1);
  EXPECT_EQ(entry_of(segments, "10.128.0.0"), 2);
  std::vector<Range> small(1);
  size_t count = 0;
  EXPECT_FALSE(cut_segments(segments, small, count).ok());
  std::vector<Range> backwards = {range("10.0.0.0", 8, 1)};
  std::swap(backwards[0].first, backwards[0].last);
  std::vector<Range> room(2);
  EXPECT_FALSE(cut_segments(backwards, room, count).ok());
}

// Against the obvious way, for ranges that overlap in every manner, at the edges of each and around them.
TEST(RiskIntervals, AgreesWithLookingAtEveryRange) {
  std::mt19937_64 random(814);
  for (int round = 0; round < 200; ++round) {
    const bool six = round % 2 == 1;
    std::vector<Range> ranges;
    for (uint32_t i = 0; i < 1 + random() % 40; ++i) {
      // Few different prefixes, so that many nest and meet.
      std::vector<uint8_t> bytes(six ? 16 : 4);
      bytes[0] = static_cast<uint8_t>(random() % 3);
      for (size_t b = 1; b < bytes.size(); ++b) bytes[b] = random() % 2 == 0 ? 0 : 0xFF;
      Range out = {};
      make_range(bytes, static_cast<int>(random() % (bytes.size() * 8 + 1)), out);
      out.entry = i;
      out.expires_at = random() % 3 == 0 ? static_cast<int64_t>(random() % 5) : kForEver;
      ranges.push_back(out);
    }
    const auto segments = cut(ranges);
    std::vector<Address> asked;
    for (const Range& r : ranges)
      for (Address a : {r.first, r.last}) {
        asked.push_back(a);
        asked.push_back({a.family, a.high, six ? a.low + 1 : (a.low + 1) & 0xFFFFFFFF});
        asked.push_back({a.family, a.high, six ? a.low - 1 : (a.low - 1) & 0xFFFFFFFF});
      }
    for (const Address& a : asked) {
      const Range* best = nullptr;
      for (const Range& r : ranges)
        if (r.first <= a && a <= r.last && (best == nullptr || r.expires_at > best->expires_at)) best = &r;
      const Range* found = find_segment(segments, a);
      ASSERT_EQ(found == nullptr, best == nullptr);
      if (found != nullptr) {
        EXPECT_EQ(found->entry, best->entry);
        EXPECT_EQ(found->expires_at, best->expires_at);
      }
    }
  }
}

}  // namespace
}  // namespace visage::risk
