// Both kinds of index: what they offer is there and alive, and people are found.
#include "gallery_index/index.h"

#include "codes.h"

namespace visage::gallery_index {
namespace {

using namespace test;
using visage::test::is_ok;

constexpr size_t kCodes = 4000;

class GalleryIndex : public testing::TestWithParam<Kind> {
 protected:
  Settings settings_ = {.threads = 2, .beam_of_build = 100, .beam_of_search = 256, .lists = 40};
  std::mt19937_64 random_{42};
};

// [6.2c] A capture of an enrolled person finds that person, and every distance is what the codes say.
TEST_P(GalleryIndex, FindsThePerson) {
  const std::vector<uint64_t> codes = groups_of_codes(random_, 40, kCodes / 40);
  const std::unique_ptr<Index> index = index_of(GetParam(), settings_, codes);
  EXPECT_EQ(index->size(), kCodes);
  EXPECT_EQ(index->placed(), kCodes);
  for (uint32_t place = 0; place < kCodes; place += 40) {
    const std::vector<uint64_t> probe = at_distance(random_, code_at(codes, place), 220);
    const Answer answer = ask(*index, probe, 10);
    ASSERT_EQ(answer.hits.size(), 10u);
    EXPECT_EQ(answer.hits[0].place, place);
    EXPECT_EQ(answer.hits[0].distance, 220u);
    for (const Hit& hit : answer.hits) {
      const auto code = code_at(codes, hit.place);
      EXPECT_EQ(hit.distance, visage::test::differing_bits(
                                  {reinterpret_cast<const uint8_t*>(code.data()), kCodeBits / 8},
                                  {reinterpret_cast<const uint8_t*>(probe.data()), kCodeBits / 8}));
    }
  }
}

// With every list read, and with a beam as wide as the gallery, the answer is the exact search's.
TEST_P(GalleryIndex, OfEverythingIsExact) {
  const std::vector<uint64_t> codes = groups_of_codes(random_, 10, 60);
  settings_.probed_permille = 1000;
  settings_.beam_of_search = 600;
  const std::unique_ptr<Index> index = index_of(GetParam(), settings_, codes);
  for (int i = 0; i < 50; ++i) {
    const std::vector<uint64_t> probe = random_codes(random_, 1);
    EXPECT_EQ(places_of(ask(*index, probe, 20, 500).hits), places_of(exact(codes, probe, 20, 500)));
  }
}

TEST_P(GalleryIndex, GrowsByWhatIsAdded) {
  std::vector<uint64_t> codes = random_codes(random_, 1000);
  std::unique_ptr<Index> index = index_of(GetParam(), settings_, codes);
  for (size_t step : {size_t{1}, size_t{7}, size_t{500}}) {
    const std::vector<uint64_t> more = random_codes(random_, step);
    ASSERT_OK(index->add(more, places_from(static_cast<uint32_t>(codes.size() / kCodeWords), step)));
    codes.insert(codes.end(), more.begin(), more.end());
    const size_t last = codes.size() / kCodeWords - 1;
    EXPECT_EQ(ask(*index, at_distance(random_, code_at(codes, last), 100), 1).hits[0].place, last);
  }
  EXPECT_EQ(index->size(), 1508u);
}

// [8.2.4d] Who was deleted is not offered, from the moment at which the live bits say so.
TEST_P(GalleryIndex, OffersTheLiveAlone) {
  const std::vector<uint64_t> codes = groups_of_codes(random_, 20, 50);
  const std::unique_ptr<Index> index = index_of(GetParam(), settings_, codes);
  const Live even = [](uint32_t place) { return place % 2 == 0; };
  for (uint32_t place = 1; place < 1000; place += 50) {
    const Answer answer = ask(*index, code_at(codes, place), 20, kCodeBits, even);
    EXPECT_EQ(answer.hits.size(), 20u);
    for (const Hit& hit : answer.hits) EXPECT_EQ(hit.place % 2, 0u);
  }
}

TEST_P(GalleryIndex, GivesPlacesAnew) {
  const std::vector<uint64_t> codes = random_codes(random_, 500);
  const std::unique_ptr<Index> index = index_of(GetParam(), settings_, codes);
  ASSERT_OK(index->place([](size_t number, const uint64_t*) {
    return number == 7 ? kNoPlace : static_cast<uint32_t>(number + 100000);
  }));
  EXPECT_EQ(index->placed(), 499u);
  EXPECT_EQ(ask(*index, code_at(codes, 8), 1).hits[0].place, 100008u);
  EXPECT_NE(ask(*index, code_at(codes, 7), 1).hits[0].distance, 0u) << "a code without a place was offered";
  // Every code is asked for once, by its number and with its words.
  std::vector<int> asked(500);
  ASSERT_OK(index->place([&](size_t number, const uint64_t* code) {
    EXPECT_TRUE(std::equal(code, code + kCodeWords, &codes[number * kCodeWords]));
    ++asked[number];
    return kNoPlace;
  }));
  EXPECT_EQ(asked, std::vector<int>(500, 1));
  EXPECT_EQ(ask(*index, code_at(codes, 8), 1).hits.size(), 0u);
}

// References of one face under one rotation may have the same code.
TEST_P(GalleryIndex, HoldsEqualCodes) {
  std::vector<uint64_t> codes = random_codes(random_, 300);
  for (size_t place = 100; place < 160; ++place)
    std::copy_n(codes.begin(), kCodeWords, codes.begin() + static_cast<long>(place * kCodeWords));
  const std::unique_ptr<Index> index = index_of(GetParam(), settings_, codes);
  const Answer answer = ask(*index, code_at(codes, 0), 61, 0);
  EXPECT_GE(answer.hits.size(), 33u);  // HNSW keeps 2 * links of them in sight
  for (const Hit& hit : answer.hits) EXPECT_TRUE(hit.place == 0 || (hit.place >= 100 && hit.place < 160));
}

// FAISS aborts the process on some of these.
TEST_P(GalleryIndex, RefusesWhatDoesNotFit) {
  const std::vector<uint64_t> codes = random_codes(random_, 100);
  const std::unique_ptr<Index> index = index_of(GetParam(), settings_, codes);
  EXPECT_EQ(index->add(codes, places_from(0, 99)).code, Code::kInvalidArgument);
  EXPECT_EQ(index->add(std::span(codes).first(kCodeWords - 1), places_from(0, 1)).code,
            Code::kInvalidArgument);
  EXPECT_EQ(index->size(), 100u);
  Hit hit;
  gallery::Nearest nearest(&hit, 1, kCodeBits);
  bool overlooks;
  EXPECT_EQ(index->search(std::span(codes).first(kCodeWords - 1), {}, nearest, overlooks).code,
            Code::kInvalidArgument);
  ASSERT_OK(index->add({}, {}));

  std::unique_ptr<Index> none;
  for (const Settings& wrong :
       {Settings{.threads = 0}, Settings{.threads = 257}, Settings{.links = 3}, Settings{.links = 257},
        Settings{.beam_of_build = 7}, Settings{.beam_of_search = 7}, Settings{.beam_of_search = kMaxBeam + 1},
        Settings{.lists = (1 << 20) + 1}, Settings{.probed_permille = 0},
        Settings{.probed_permille = 1001}}) {
    EXPECT_EQ(create(GetParam(), wrong, codes, {}, none).code, Code::kInvalidArgument);
    EXPECT_EQ(index->change(wrong).code, Code::kInvalidArgument);
  }
  EXPECT_EQ(create(GetParam(), settings_, std::span(codes).first(5), {}, none).code, Code::kInvalidArgument);
  EXPECT_EQ(none, nullptr);
}

TEST_P(GalleryIndex, EmptyFindsNobody) {
  const std::vector<uint64_t> codes = random_codes(random_, 50);
  std::unique_ptr<Index> index;
  ASSERT_OK(create(GetParam(), settings_, codes, {}, index));
  EXPECT_EQ(ask(*index, code_at(codes, 0), 5).hits.size(), 0u);
  ASSERT_OK(index->add(std::span(codes).first(kCodeWords), places_from(3, 1)));
  EXPECT_EQ(places_of(ask(*index, code_at(codes, 0), 5).hits), std::vector<uint32_t>{3});
}

// What a limit of memory is compared with beforehand is not less than what it takes then.
TEST_P(GalleryIndex, TakesNoMoreMemoryThanExpected) {
  const std::vector<uint64_t> codes = random_codes(random_, kCodes);
  const std::unique_ptr<Index> index = index_of(GetParam(), settings_, codes);
  EXPECT_LE(index->memory(), expected_memory(GetParam(), settings_, kCodes));
  EXPECT_GE(index->memory() * 3, expected_memory(GetParam(), settings_, kCodes));
}

INSTANTIATE_TEST_SUITE_P(Kinds, GalleryIndex, testing::Values(Kind::kHnsw, Kind::kIvf),
                         [](const auto& kind) { return kind.param == Kind::kHnsw ? "Hnsw" : "Ivf"; });

// More people within the distance than the beam holds: the answer is known to be short.
TEST(GalleryIndexHnsw, TellsWhenItOverlooks) {
  std::mt19937_64 random(1);
  const std::vector<uint64_t> codes = groups_of_codes(random, 2, 400);
  const std::unique_ptr<Index> index =
      index_of(Kind::kHnsw, {.beam_of_build = 100, .beam_of_search = 64}, codes);
  const std::vector<uint64_t> far = at_distance(random, code_at(codes, 0), 10);
  EXPECT_TRUE(ask(*index, far, 1000, 480).overlooks);
  EXPECT_FALSE(ask(*index, far, 1000, 100).overlooks) << "one person is so near, and the beam went beyond";
  EXPECT_FALSE(ask(*index, far, 10, 480).overlooks) << "who asks for ten gets the nearest ten";
  Settings wide = index->settings();
  wide.beam_of_search = 1000;
  ASSERT_OK(index->change(wide));
  EXPECT_FALSE(ask(*index, far, 1000, 480).overlooks);
}

TEST(GalleryIndexIvf, NeedsASampleAndMayBeStopped) {
  std::unique_ptr<Index> index;
  EXPECT_FALSE(create(Kind::kIvf, {}, {}, {}, index).ok());
  std::mt19937_64 random(2);
  const std::vector<uint64_t> codes = random_codes(random, 1000);
  int asked = 0;
  EXPECT_FALSE(create(
                   Kind::kIvf, {}, codes, [&] { return ++asked < 3; }, index)
                   .ok());
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(index, nullptr);
  // Fewer codes than lists: as many lists as codes.
  ASSERT_OK(create(Kind::kIvf, {.lists = 64}, std::span(codes).first(10 * kCodeWords), {}, index));
  EXPECT_EQ(index->settings().lists, 10u);
}

}  // namespace
}  // namespace visage::gallery_index
