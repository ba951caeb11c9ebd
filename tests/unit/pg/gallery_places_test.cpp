// Whoever reads a gallery in memory while its worker changes it comes across everybody who was there when the
// reading began. [6.2c] [6.6f]
//
// The worker's own code over memory of this process. Of the server it needs memory contexts and random
// numbers; what is below stands for these.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <set>
#include <vector>

#include "pg/gallery_places.h"

namespace visage::pg {
namespace {

constexpr uint32 kBlocks = 64;

CodeBlock* memory() {
  static const std::unique_ptr<CodeBlock[]> blocks(new CodeBlock[kBlocks]());
  return blocks.get();
}

}  // namespace

uint32 block_count() {
  return kBlocks;
}
CodeBlock& block_at(uint32 number) {
  return memory()[number - 1];
}
void note_block_used(uint32) {}
bool lock_block(uint32) {
  return true;
}
void release_block(uint32 number) {
  std::memset(static_cast<void*>(&block_at(number)), 0, kBlockSize);
}

}  // namespace visage::pg

extern "C" {
MemoryContext TopMemoryContext = nullptr;
MemoryContext AllocSetContextCreateInternal(MemoryContext, const char*, Size, Size, Size) {
  return nullptr;
}
void* MemoryContextAllocExtended(MemoryContext, Size size, int) {
  return std::malloc(size);
}
void pfree(void* pointer) {
  std::free(pointer);
}
bool pg_strong_random(void* buffer, size_t size) {
  std::memset(buffer, 7, size);
  return true;
}
// Nothing here raises.
bool errstart_cold(int, const char*) {
  std::abort();
}
int errmsg_internal(const char*, ...) {
  std::abort();
}
void errfinish(const char*, int, const char*) {
  std::abort();
}
}

namespace visage::pg {
namespace {

constexpr int kChain = 1;  // chain 0 is that without codes

Uuid reference(uint32 number) {
  Uuid id{};
  std::memcpy(id.bytes, &number, sizeof number);
  return id;
}
uint32 number_of(const Uuid& id) {
  uint32 number;
  std::memcpy(&number, id.bytes, sizeof number);
  return number;
}

// As a search goes through a chain, block by block.
class Reading {
 public:
  explicit Reading(int gallery) : next_(chains_of(gallery).chains[kChain].first) {}
  bool step() {
    if (next_ == kNoBlock) return false;
    const CodeBlock& block = block_at(next_);
    for (uint32 i = 0; i < kBlockPlaces; ++i) {
      if ((block.live[i / 64].load() >> (i % 64) & 1) == 0) continue;
      EXPECT_EQ(block.codes[i * gallery::kCodeWords], number_of(block.references[i]));
      found_.insert(number_of(block.references[i]));
    }
    next_ = block.next.load();
    return true;
  }
  const std::set<uint32>& rest() {
    while (step()) continue;
    return found_;
  }

 private:
  uint32 next_;
  std::set<uint32> found_;
};

class GalleryPlaces : public testing::Test {
 protected:
  static void SetUpTestSuite() { places_init(); }
  void SetUp() override {
    add_chain(kGallery, 0);
    add_chain(kGallery, 1);
  }
  void TearDown() override {
    retire_gallery(kGallery, publication_ + 1);
    publish();
    EXPECT_EQ(free_blocks(), kBlocks);
  }
  void put(uint32 number) {
    uint32 place;
    ASSERT_EQ(reserve_place(kGallery, kChain, place), Room::kFound);
    code_at(place).words[0] = number;
    keep_place(place, reference(number), publication_ + 1);
    there_.insert(number);
  }
  void remove(uint32 number) {
    retire_place(place_of(reference(number)), publication_ + 1);
    there_.erase(number);
  }
  // With no reading of an earlier publication, or with one.
  void publish(uint64 oldest = PG_UINT64_MAX) {
    ++publication_;
    free_retired(oldest);
  }

  static constexpr int kGallery = 3;
  uint64 publication_ = 0;
  std::set<uint32> there_;
};

// Wherever the reading stands when a block is emptied into others, before it and behind it. Which block is
// emptied does not matter: each in turn is the one with the fewest codes.
TEST_F(GalleryPlaces, AReadingMissesNobodyWhenABlockIsEmptied) {
  constexpr uint32 kFilled = 5;
  for (uint32 sparse = 0; sparse < kFilled; ++sparse) {
    for (uint32 steps = 0; steps <= kFilled; ++steps) {
      for (uint32 number = 0; number < kFilled * kBlockPlaces; ++number) put(number);
      for (uint32 number = 0; number < kFilled * kBlockPlaces; ++number)
        if (number % 5 >= (number / kBlockPlaces == sparse ? 1u : 3u)) remove(number);
      publish();
      const uint32 blocks = chains_of(kGallery).blocks;
      Reading reading(kGallery);
      for (uint32 step = 0; step < steps; ++step) reading.step();
      compact(kGallery, publication_ + 1);
      publish(publication_);
      EXPECT_EQ(chains_of(kGallery).blocks, blocks - 1) << "nothing was emptied";
      EXPECT_EQ(reading.rest(), there_) << "after " << steps << " blocks";
      publish();
      EXPECT_EQ(Reading(kGallery).rest(), there_) << "and one that begins later";
      retire_gallery(kGallery, publication_ + 1);
      publish();
      there_.clear();
      SetUp();
    }
  }
}

// Blocks are emptied until less than two blocks' places are free, and given back.
TEST_F(GalleryPlaces, WhatIsEmptyIsGivenBack) {
  constexpr uint32 kCount = 10 * kBlockPlaces;
  for (uint32 number = 0; number < kCount; ++number) put(number);
  for (uint32 number = 0; number < kCount; ++number)
    if (number % 8 != 0) remove(number);
  publish();
  for (int round = 0; round < 12; ++round) {
    compact(kGallery, publication_ + 1);
    publish();
    EXPECT_EQ(Reading(kGallery).rest(), there_);
  }
  EXPECT_EQ(chains_of(kGallery).blocks, 2u);
  EXPECT_EQ(free_blocks(), kBlocks - 2);
  for (const uint32 number : std::set<uint32>(there_)) remove(number);
  for (int round = 0; round < 3; ++round) {
    publish();
    compact(kGallery, publication_ + 1);
  }
  publish();
  EXPECT_EQ(free_blocks(), kBlocks);
}

}  // namespace
}  // namespace visage::pg
