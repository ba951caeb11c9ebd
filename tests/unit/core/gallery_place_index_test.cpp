// The index of places finds what a map would, whatever comes and goes.
#include "core/gallery/place_index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace visage::gallery {
namespace {

struct IdentifierAt {
  const std::vector<Uuid>* places;
  const Uuid& operator()(uint32_t place) const { return (*places)[place]; }
};

// Few different identifiers, so that they come, go and come back elsewhere; few slots, so that they collide.
TEST(GalleryPlaceIndex, IsAMapFromReferencesToPlaces) {
  std::mt19937_64 random(1);
  std::vector<Uuid> places(512);
  std::vector<uint32_t> free;
  for (uint32_t i = 0; i < places.size(); ++i) free.push_back(i);
  std::map<uint64_t, uint32_t> expected;
  std::vector<uint32_t> slots(4), more;
  PlaceIndex<IdentifierAt> index({&places});
  ASSERT_EQ(index.find(Uuid{}), kNoPlace);
  ASSERT_TRUE(index.wants_room());
  index.move_to(slots.data(), slots.size(), 7);
  for (int step = 0; step < 200000; ++step) {
    const uint64_t name = random() % 300;
    Uuid reference = {};
    std::memcpy(reference.bytes, &name, sizeof name);
    const auto known = expected.find(name);
    ASSERT_EQ(index.find(reference), known == expected.end() ? kNoPlace : known->second);
    const uint64_t what = random() % 3;
    if (known == expected.end()) {
      if (what == 0) continue;
      if (index.wants_room()) {
        more.assign(slots.size() * 2, 0);
        index.move_to(more.data(), more.size(), random());
        slots.swap(more);
      }
      const uint32_t place = free.back();
      free.pop_back();
      places[place] = reference;
      index.insert(place);
      expected[name] = place;
    } else if (what == 0) {
      index.erase(known->second);
      free.push_back(known->second);
      places[known->second] = {};
      expected.erase(known);
    } else if (what == 1) {
      const uint32_t place = free.back();
      free.pop_back();
      places[place] = reference;
      index.replace(known->second, place);
      free.insert(free.begin(), known->second);
      known->second = place;
    }
    ASSERT_EQ(index.count(), expected.size());
  }
  index.clear();
  for (const auto& [name, place] : expected) {
    Uuid reference = {};
    std::memcpy(reference.bytes, &name, sizeof name);
    EXPECT_EQ(index.find(reference), kNoPlace);
  }
}

}  // namespace
}  // namespace visage::gallery
