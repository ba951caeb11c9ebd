// The index agrees with the blocks that it was shown, however codes come, go and move.
#include "gallery_index/follower.h"

#include "codes.h"

namespace visage::gallery_index {
namespace {

using namespace test;
using visage::test::is_ok;

// A gallery's memory, as its owner has it.
struct Memory {
  std::vector<uint64_t> codes;
  std::vector<uint64_t> live;

  explicit Memory(size_t blocks) : codes(blocks * kBlockPlaces * kCodeWords), live(blocks * kLiveWords) {}
  BlockView block(uint32_t number) const {
    return {number, &codes[number * kBlockPlaces * kCodeWords], &live[number * kLiveWords]};
  }
  void put(uint32_t place, std::span<const uint64_t> code) {
    std::copy(code.begin(), code.end(), &codes[place * kCodeWords]);
    live[place / 64] |= uint64_t{1} << place % 64;
  }
  void remove(uint32_t place) { live[place / 64] &= ~(uint64_t{1} << place % 64); }
  bool at(uint32_t place) const { return (live[place / 64] >> place % 64 & 1) != 0; }
  std::span<const uint64_t> code(uint32_t place) const {
    return std::span(codes).subspan(place * kCodeWords, kCodeWords);
  }
};

class GalleryFollower : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override { follow(random_codes(random_, 200)); }
  void follow(const std::vector<uint64_t>& sample) {
    std::unique_ptr<Index> index;
    ASSERT_OK(create(GetParam(),
                     {.beam_of_build = 40, .beam_of_search = 128, .lists = 8, .probed_permille = 1000},
                     sample, {}, index));
    follower_ = std::make_unique<Follower>(std::move(index));
  }
  std::vector<uint64_t> fill(uint32_t first, size_t count) {
    const std::vector<uint64_t> codes = random_codes(random_, count);
    for (size_t i = 0; i < count; ++i) memory_.put(first + static_cast<uint32_t>(i), code_at(codes, i));
    return codes;
  }
  void show(uint32_t number) {
    for (bool more = true; more;) ASSERT_OK(follower_->take_block(memory_.block(number), 100, more));
  }
  // Everything live is found at its place and its place alone; nothing else is.
  void expect_agreement() {
    size_t live = 0;
    for (uint32_t place = 0; place < memory_.live.size() * 64; ++place) {
      if (!memory_.at(place)) continue;
      ++live;
      if (place % 17 != 0) continue;
      EXPECT_EQ(places_of(ask(follower_->index(), memory_.code(place), 5, 0).hits),
                std::vector<uint32_t>{place});
    }
    EXPECT_EQ(follower_->index().placed(), live);
    EXPECT_EQ(follower_->strays(), follower_->index().size() - live);
  }

  std::mt19937_64 random_{8};
  Memory memory_{3};
  std::unique_ptr<Follower> follower_;
};

TEST_P(GalleryFollower, TakesABlockInPartsAndOnce) {
  fill(0, 1024);
  bool more = false;
  ASSERT_OK(follower_->take_block(memory_.block(0), 100, more));
  EXPECT_TRUE(more);
  EXPECT_EQ(follower_->index().size(), 100u);
  show(0);
  expect_agreement();
  show(0);
  EXPECT_EQ(follower_->index().size(), 1024u) << "shown twice, added once";
}

// [8.2.4d] Who is gone has no place any more; who takes the place is found there.
TEST_P(GalleryFollower, FollowsDeletionAndReuse) {
  fill(0, 300);
  show(0);
  const std::vector<uint64_t> gone(memory_.code(17).begin(), memory_.code(17).end());
  memory_.remove(17);
  ASSERT_OK(follower_->drop_dead(0, memory_.block(0).live));
  EXPECT_TRUE(ask(follower_->index(), gone, 5, 0).hits.empty());
  EXPECT_EQ(follower_->strays(), 1u);
  expect_agreement();
  fill(17, 1);
  show(0);
  EXPECT_TRUE(ask(follower_->index(), gone, 5, 0).hits.empty());
  expect_agreement();
  // Replaced without having been seen dead.
  fill(34, 1);
  show(0);
  expect_agreement();
  EXPECT_EQ(follower_->strays(), 2u);
}

TEST_P(GalleryFollower, RecognisesWhatMoved) {
  const std::vector<uint64_t> codes = fill(0, 500);
  show(0);
  for (uint32_t place = 0; place < 500; ++place) memory_.remove(place);
  ASSERT_OK(follower_->drop_dead(0, memory_.block(0).live));
  EXPECT_EQ(follower_->strays(), 500u);
  for (uint32_t i = 0; i < 500; ++i) memory_.put(2048 + i, code_at(codes, i));
  show(2);
  EXPECT_EQ(follower_->index().size(), 500u) << "nothing was added again";
  EXPECT_EQ(follower_->strays(), 0u);
  expect_agreement();
}

// While it is moved a code is at two places, and both are found.
TEST_P(GalleryFollower, HoldsACodeThatIsThereTwice) {
  const std::vector<uint64_t> codes = fill(0, 10);
  memory_.put(1024, code_at(codes, 3));
  show(0);
  show(1);
  EXPECT_EQ(places_of(ask(follower_->index(), code_at(codes, 3), 5, 0).hits),
            (std::vector<uint32_t>{3, 1024}));
}

TEST_P(GalleryFollower, ForgetsBlocksThatLeft) {
  fill(0, 100);
  fill(1024, 100);
  show(0);
  show(1);
  ASSERT_OK(follower_->keep_blocks([](uint32_t number) { return number != 0; }));
  for (uint32_t place = 0; place < 100; ++place) memory_.remove(place);
  expect_agreement();
  EXPECT_EQ(follower_->strays(), 100u);
}

// As after a restart: the codes are known and in other places, some are gone and some are new.
TEST_P(GalleryFollower, PlacesASnapshotsCodes) {
  const std::vector<uint64_t> codes = random_codes(random_, 400);
  const std::unique_ptr<Index> none;
  std::unique_ptr<Index> index;
  ASSERT_OK(
      create(GetParam(), {.beam_of_search = 128, .lists = 8, .probed_permille = 1000}, codes, {}, index));
  ASSERT_OK(index->add(codes, std::vector<uint32_t>(400, kNoPlace)));
  follower_ = std::make_unique<Follower>(std::move(index));
  EXPECT_EQ(follower_->strays(), 400u);
  for (uint32_t i = 0; i < 300; ++i) memory_.put(1100 + i, code_at(codes, 399 - i));
  fill(0, 50);
  show(0);
  show(1);
  EXPECT_EQ(follower_->index().size(), 450u);
  EXPECT_EQ(follower_->strays(), 100u);
  expect_agreement();
}

// Any order of coming, going and moving.
TEST_P(GalleryFollower, AgreesAfterAnything) {
  for (int round = 0; round < 30; ++round) {
    for (int change = 0; change < 40; ++change) {
      const auto place = static_cast<uint32_t>(random_() % (3 * kBlockPlaces));
      const auto other = static_cast<uint32_t>(random_() % (3 * kBlockPlaces));
      if (random_() % 3 != 0) {
        fill(place, 1);
      } else if (memory_.at(place) && place != other) {
        memory_.put(other, std::vector<uint64_t>(memory_.code(place).begin(), memory_.code(place).end()));
        memory_.remove(place);
      }
    }
    for (const uint32_t number : {2u, 0u, 1u}) show(number);
  }
  expect_agreement();
}

INSTANTIATE_TEST_SUITE_P(Kinds, GalleryFollower, testing::Values(Kind::kHnsw, Kind::kIvf),
                         [](const auto& kind) { return kind.param == Kind::kHnsw ? "Hnsw" : "Ivf"; });

}  // namespace
}  // namespace visage::gallery_index
