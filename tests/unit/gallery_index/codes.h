// Codes for the tests of the index: strangers are random, a person's captures differ in a known number of
// bits.
#pragma once

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "gallery_index/index.h"
#include "support.h"

namespace visage::gallery_index::test {

using gallery::Hit;
using gallery::kCodeBits;
using gallery::kCodeWords;

inline std::vector<uint64_t> random_codes(std::mt19937_64& random, size_t count) {
  std::vector<uint64_t> codes(count * kCodeWords);
  for (uint64_t& word : codes) word = random();
  return codes;
}
inline std::span<const uint64_t> code_at(const std::vector<uint64_t>& codes, size_t place) {
  return std::span(codes).subspan(place * kCodeWords, kCodeWords);
}
inline std::vector<uint64_t> at_distance(std::mt19937_64& random, std::span<const uint64_t> code,
                                         size_t bits) {
  std::vector<size_t> order(kCodeBits);
  std::iota(order.begin(), order.end(), size_t{0});
  std::shuffle(order.begin(), order.end(), random);
  std::vector<uint64_t> out(code.begin(), code.end());
  for (size_t i = 0; i < bits; ++i) out[order[i] / 64] ^= uint64_t{1} << order[i] % 64;
  return out;
}
// Groups of people who look like each other, as faces do.
inline std::vector<uint64_t> groups_of_codes(std::mt19937_64& random, size_t groups, size_t each) {
  std::vector<uint64_t> codes;
  for (size_t group = 0; group < groups; ++group) {
    const std::vector<uint64_t> centre = random_codes(random, 1);
    for (size_t i = 0; i < each; ++i) {
      const std::vector<uint64_t> code = at_distance(random, centre, 300);
      codes.insert(codes.end(), code.begin(), code.end());
    }
  }
  return codes;
}
inline std::vector<uint32_t> places_from(uint32_t first, size_t count) {
  std::vector<uint32_t> places(count);
  std::iota(places.begin(), places.end(), first);
  return places;
}

inline std::unique_ptr<Index> index_of(Kind kind, const Settings& settings,
                                       const std::vector<uint64_t>& codes) {
  std::unique_ptr<Index> index;
  EXPECT_OK(create(kind, settings, codes, {}, index));
  EXPECT_OK(index->add(codes, places_from(0, codes.size() / kCodeWords)));
  return index;
}

struct Answer {
  std::vector<Hit> hits;
  bool overlooks = false;
};
inline Answer ask(Index& index, std::span<const uint64_t> probe, size_t limit, uint32_t most = kCodeBits,
                  const Live& live = {}) {
  Answer answer;
  answer.hits.resize(limit);
  gallery::Nearest nearest(answer.hits.data(), limit, most);
  EXPECT_OK(index.search(probe, live, nearest, answer.overlooks));
  answer.hits.resize(nearest.sort());
  return answer;
}
inline std::vector<Hit> exact(const std::vector<uint64_t>& codes, std::span<const uint64_t> probe,
                              size_t limit, uint32_t most = kCodeBits) {
  std::vector<Hit> hits(limit);
  gallery::Nearest nearest(hits.data(), limit, most);
  gallery::search(gallery::best_kernels(), codes.data(), nullptr, 0, codes.size() / kCodeWords, probe.data(),
                  nearest);
  hits.resize(nearest.sort());
  return hits;
}
inline std::vector<uint32_t> places_of(const std::vector<Hit>& hits) {
  std::vector<uint32_t> places;
  for (const Hit& hit : hits) places.push_back(hit.place);
  return places;
}

}  // namespace visage::gallery_index::test
