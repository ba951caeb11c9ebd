// A sealed snapshot: it opens as it was written, for its epoch and roots alone, or not at all.
#include "gallery_index/snapshot.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "codes.h"

namespace visage::gallery_index {
namespace {

using namespace test;
using crypto::Suite;
using visage::test::Buffer;
using visage::test::engine;
using visage::test::is_ok;
using visage::test::ring;

gallery::Epoch epoch_of(uint32_t number = 3, uint32_t institution = 1) {
  gallery::Epoch epoch = {};
  epoch.suite = Suite::kAes256Gcm;
  epoch.transform_version = 5;
  epoch.institution = institution;
  epoch.number = number;
  epoch.dimension = 128;
  epoch.model_digest[0] = 9;
  epoch.salt[0] = 8;
  return epoch;
}

class Snapshot : public testing::TestWithParam<Suite> {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "visage-snapshot-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ + "/index"; }
  Buffer contents() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void put(const Buffer& bytes) const {
    std::ofstream file(path(), std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  Status write_file(const Buffer& plain, const SnapshotLabel& label = {1, 10703, 7}) const {
    SnapshotWriter writer(engine(), ring(), GetParam(), epoch_);
    VISAGE_TRY(writer.begin(path(), label));
    // In pieces that fit no chunk.
    for (size_t done = 0; done < plain.size(); done += 70001)
      VISAGE_TRY(writer.write(Bytes(plain).subspan(done, std::min<size_t>(70001, plain.size() - done))));
    return writer.finish();
  }
  Status open_file(const gallery::Epoch& epoch, const keys::KeyRing& keys) const {
    SnapshotReader reader(engine(), keys, epoch);
    SnapshotLabel label;
    return reader.open(path(), label);
  }
  Status open_file() const { return open_file(epoch_, ring()); }
  Status load_index(Kind kind, std::unique_ptr<Index>& out, const Settings& settings = {}) const {
    return load(kind, settings, engine(), ring(), epoch_, path(), out);
  }
  size_t tag() const { return crypto::tag_size(GetParam()); }

  std::mt19937_64 random_{5};
  gallery::Epoch epoch_ = epoch_of();
  std::string folder_;
};

TEST_P(Snapshot, IsReadAsItWasWritten) {
  for (const size_t size : {size_t{1}, kSnapshotChunk, kSnapshotChunk + 1, 3 * kSnapshotChunk - 5}) {
    const Buffer plain = visage::test::random_bytes(random_, size);
    ASSERT_OK(write_file(plain));
    EXPECT_EQ(std::filesystem::file_size(path()),
              kSnapshotHeaderSize + size + tag() * ((size + kSnapshotChunk - 1) / kSnapshotChunk));
    SnapshotReader reader(engine(), ring(), epoch_);
    SnapshotLabel label;
    ASSERT_OK(reader.open(path(), label));
    EXPECT_EQ(label.codes, 7u);
    Buffer read(size);
    ASSERT_OK(reader.read(MutableBytes(read).first(size / 3)));
    ASSERT_OK(reader.read(MutableBytes(read).subspan(size / 3)));
    EXPECT_TRUE(read == plain);
    EXPECT_TRUE(reader.at_end());
    uint8_t more;
    EXPECT_EQ(reader.read({&more, 1}).code, Code::kMalformed);
  }
}

// [8.2.4c] Nothing of the file can be changed: every byte of the header, and bytes of each chunk and tag.
TEST_P(Snapshot, OpensUnalteredAlone) {
  ASSERT_OK(write_file(visage::test::random_bytes(random_, 2 * kSnapshotChunk + 500)));
  const Buffer good = contents();
  std::vector<size_t> places;
  for (size_t i = 0; i < kSnapshotHeaderSize; ++i) places.push_back(i);
  const size_t whole = kSnapshotChunk + tag();
  for (size_t chunk = 0; chunk < 3; ++chunk) {
    const size_t begin = kSnapshotHeaderSize + chunk * whole, end = std::min(begin + whole, good.size());
    for (const size_t place : {begin, begin + 257, end - tag() - 1, end - tag(), end - 1})
      places.push_back(place);
  }
  for (const size_t place : places) {
    Buffer bad = good;
    bad[place] ^= 1;
    put(bad);
    const Status status = open_file();
    EXPECT_FALSE(status.ok()) << "byte " << place << " does not matter";
    EXPECT_NE(status.code, Code::kInternal) << "byte " << place;
  }
  put(good);
  EXPECT_OK(open_file());
}

// Nor can it be cut off, drawn out, or its chunks left out, swapped or doubled.
TEST_P(Snapshot, OpensWholeAlone) {
  ASSERT_OK(write_file(visage::test::random_bytes(random_, 3 * kSnapshotChunk)));
  const Buffer good = contents();
  const size_t whole = kSnapshotChunk + tag();
  const auto chunk = [&](size_t number) {
    return Bytes(good).subspan(kSnapshotHeaderSize + number * whole, whole);
  };
  const auto refuse = [&](const Buffer& bad, const char* what) {
    put(bad);
    EXPECT_FALSE(open_file().ok()) << what;
  };
  for (const size_t size :
       {size_t{0}, size_t{1}, kSnapshotHeaderSize - 1, kSnapshotHeaderSize, kSnapshotHeaderSize + tag(),
        kSnapshotHeaderSize + whole, kSnapshotHeaderSize + 2 * whole, good.size() - tag(), good.size() - 1})
    refuse({good.begin(), good.begin() + static_cast<long>(size)}, "cut off");
  const auto of_chunks = [&](std::initializer_list<size_t> numbers) {
    Buffer file(good.begin(), good.begin() + kSnapshotHeaderSize);
    for (const size_t number : numbers) file.insert(file.end(), chunk(number).begin(), chunk(number).end());
    return file;
  };
  ASSERT_TRUE(of_chunks({0, 1, 2}) == good);
  refuse(of_chunks({1, 0, 2}), "swapped");
  refuse(of_chunks({0, 2}), "left out");
  refuse(of_chunks({0, 1, 1, 2}), "doubled");
  refuse(of_chunks({0, 1, 2, 2}), "drawn out");
  Buffer longer = good;
  longer.push_back(0);
  refuse(longer, "one byte more");
}

// [8.2.4c] The transform root and the epoch: whoever has the file and the envelope root has nothing.
TEST_P(Snapshot, OpensUnderItsRootAndEpochAlone) {
  ASSERT_OK(write_file(visage::test::random_bytes(random_, 1000)));
  for (const gallery::Epoch& other : {epoch_of(4), epoch_of(3, 2)})
    EXPECT_EQ(open_file(other, ring()).code, Code::kAuthenticationFailed);
  gallery::Epoch other = epoch_;
  other.salt[31] = 1;
  EXPECT_EQ(open_file(other, ring()).code, Code::kAuthenticationFailed) << "another epoch of the same number";
  other = epoch_;
  other.model_digest[1] = 1;
  EXPECT_EQ(open_file(other, ring()).code, Code::kAuthenticationFailed);
  keys::KeyRing keys = ring();
  keys.transform = visage::test::with_changed_root(ring().transform, 5, 0);
  EXPECT_EQ(open_file(epoch_, keys).code, Code::kAuthenticationFailed);
  keys.transform.count = 0;
  EXPECT_EQ(open_file(epoch_, keys).code, Code::kKeyMissing);
  keys = ring();
  keys.envelope.count = 0;
  EXPECT_OK(open_file(epoch_, keys));
}

TEST_P(Snapshot, IsAPrivateFileAndNoLink) {
  EXPECT_EQ(open_file().code, Code::kInvalidArgument) << "there is none";
  ASSERT_OK(write_file(visage::test::random_bytes(random_, 1000)));
  struct stat about;
  ASSERT_EQ(stat(path().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, 0600u);
  std::filesystem::rename(path(), folder_ + "/elsewhere");
  std::filesystem::create_symlink(folder_ + "/elsewhere", path());
  EXPECT_FALSE(open_file().ok());
}

// A server that stops while it writes leaves the old one as it was, and nothing beside it.
TEST_P(Snapshot, ReplacesTheOldOneWhole) {
  ASSERT_OK(write_file(visage::test::random_bytes(random_, 1000)));
  const Buffer old = contents();
  {
    SnapshotWriter writer(engine(), ring(), GetParam(), epoch_);
    ASSERT_OK(writer.begin(path(), {1, 1, 1}));
    ASSERT_OK(writer.write(visage::test::random_bytes(random_, 3 * kSnapshotChunk)));
  }
  EXPECT_TRUE(contents() == old);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
  // What a killed server left is in nobody's way.
  std::ofstream(path() + ".new") << "left over";
  ASSERT_OK(write_file(visage::test::random_bytes(random_, 2000)));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
  EXPECT_OK(open_file());
}

TEST_P(Snapshot, HoldsAnIndex) {
  const std::vector<uint64_t> codes = groups_of_codes(random_, 50, 40);
  for (const Kind kind : {Kind::kHnsw, Kind::kIvf}) {
    const Settings settings = {.beam_of_build = 60, .beam_of_search = 100};
    const std::unique_ptr<Index> before = index_of(kind, settings, codes);
    ASSERT_OK(save(*before, engine(), ring(), GetParam(), epoch_, path()));
    std::unique_ptr<Index> after;
    ASSERT_OK(load_index(kind, after, settings));
    EXPECT_EQ(after->kind(), kind);
    EXPECT_EQ(after->size(), before->size());
    EXPECT_EQ(after->placed(), 0u) << "a snapshot knows no places";
    EXPECT_TRUE(ask(*after, code_at(codes, 0), 5).hits.empty());
    ASSERT_OK(after->place([](size_t number, const uint64_t*) { return static_cast<uint32_t>(number); }));
    for (size_t i = 0; i < 2000; i += 100)
      EXPECT_EQ(places_of(ask(*after, code_at(codes, i), 10).hits),
                places_of(ask(*before, code_at(codes, i), 10).hits));
    // It goes on growing.
    const std::vector<uint64_t> more = random_codes(random_, 10);
    ASSERT_OK(after->add(more, places_from(2000, 10)));
    EXPECT_EQ(ask(*after, code_at(more, 9), 1).hits[0].place, 2009u);

    const Kind other = kind == Kind::kHnsw ? Kind::kIvf : Kind::kHnsw;
    std::unique_ptr<Index> none;
    EXPECT_EQ(load_index(other, none, settings).code, Code::kUnsupported);
    EXPECT_EQ(load_index(kind, none, {.links = 16, .lists = 17}).code, Code::kUnsupported)
        << "of other settings";
    EXPECT_EQ(none, nullptr);
  }
}

// [8.2.4c] No code stands in it in clear.
TEST_P(Snapshot, ShowsNoCode) {
  const std::vector<uint64_t> codes = random_codes(random_, 500);
  ASSERT_OK(save(*index_of(Kind::kIvf, {}, codes), engine(), ring(), GetParam(), epoch_, path()));
  const Buffer file = contents();
  for (size_t place = 0; place < 500; ++place) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(code_at(codes, place).data());
    EXPECT_EQ(std::search(file.begin(), file.end(), bytes, bytes + 8), file.end());
  }
}

// Sealed by whoever has the root, and still not what FAISS reads: an error, and no crash.
TEST_P(Snapshot, RefusesWhatIsNoIndex) {
  std::unique_ptr<Index> index;
  for (int round = 0; round < 50; ++round) {
    ASSERT_OK(write_file(visage::test::random_bytes(random_, 1 + random_() % 5000)));
    EXPECT_FALSE(load_index(Kind::kHnsw, index).ok());
    EXPECT_EQ(index, nullptr);
  }
  // The index of another number of codes, and one that ends early or goes on.
  const std::vector<uint64_t> codes = random_codes(random_, 100);
  ASSERT_OK(save(*index_of(Kind::kHnsw, {}, codes), engine(), ring(), GetParam(), epoch_, path()));
  SnapshotReader reader(engine(), ring(), epoch_);
  SnapshotLabel label;
  ASSERT_OK(reader.open(path(), label));
  Buffer plain(contents().size() - kSnapshotHeaderSize - tag());
  ASSERT_OK(reader.read(plain));
  ASSERT_OK(write_file(plain, label));
  ASSERT_OK(load_index(Kind::kHnsw, index));
  index.reset();
  ASSERT_OK(write_file(plain, {label.kind, label.library, 99}));
  EXPECT_FALSE(load_index(Kind::kHnsw, index).ok());
  ASSERT_OK(write_file(plain, {label.kind, label.library + 1, label.codes}));
  EXPECT_EQ(load_index(Kind::kHnsw, index).code, Code::kUnsupported);
  for (const size_t size : {plain.size() - 1, plain.size() / 2, size_t{9}}) {
    ASSERT_OK(write_file({plain.begin(), plain.begin() + static_cast<long>(size)}, label));
    EXPECT_FALSE(load_index(Kind::kHnsw, index).ok());
  }
  plain.push_back(0);
  ASSERT_OK(write_file(plain, label));
  EXPECT_FALSE(load_index(Kind::kHnsw, index).ok());
  EXPECT_EQ(index, nullptr);
}

INSTANTIATE_TEST_SUITE_P(Suites, Snapshot, testing::ValuesIn(visage::test::kSuites),
                         [](const auto& suite) { return suite.param == Suite::kAes256Gcm ? "Aes" : "Sm4"; });

}  // namespace
}  // namespace visage::gallery_index
