// What may be in a probe: features and models at the door, and sealed contents that a faulty source wrote.
#include <limits>

#include "support.h"

namespace visage::probe {
namespace {

using test::Buffer;
using test::engine;

std::string feature_refusal(const std::vector<float>& feature) {
  Contents contents;
  const Status status = set_feature(feature, contents);
  EXPECT_EQ(status.code, Code::kInvalidArgument);
  return status.message;
}

TEST(ProbeFeature, IsScaledToUnitLength) {
  std::mt19937_64 random(30);
  for (float scale : {1e-30f, 1e-3f, 1.0f, 1e10f, 1e30f}) {
    std::vector<float> feature = test::random_feature(random, 512);
    for (float& value : feature) value *= scale;
    Contents contents;
    ASSERT_OK(set_feature(feature, contents)) << scale;
    double norm = 0, along = 0, length = 0;
    for (size_t i = 0; i < 512; ++i) {
      norm += double{contents.feature[i]} * contents.feature[i];
      along += double{contents.feature[i]} * feature[i];
      length += double{feature[i]} * feature[i];
    }
    EXPECT_NEAR(norm, 1, 1e-6);
    EXPECT_NEAR(along / std::sqrt(length), 1, 1e-6) << "the direction is kept";
  }
}

TEST(ProbeFeature, LengthBounds) {
  for (size_t size : {0u, 1u, 63u, 2049u, 100000u})
    EXPECT_EQ(feature_refusal(std::vector<float>(size, 1.0f)),
              "feature has " + std::to_string(size) + " values, allowed are 64 to 2048");
  Contents contents;
  EXPECT_OK(set_feature(std::vector<float>(64, 1.0f), contents));
  EXPECT_OK(set_feature(std::vector<float>(2048, 1.0f), contents));
}

TEST(ProbeFeature, NamesTheFirstBadValueCountingFromOne) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity(),
              subnormal = std::numeric_limits<float>::denorm_min();
  const struct {
    float value;
    const char* name;
  } bad[] = {{nan, "NaN"},
             {-nan, "NaN"},
             {infinity, "infinite"},
             {-infinity, "infinite"},
             {subnormal, "subnormal"},
             {-std::numeric_limits<float>::min() / 2, "subnormal"}};
  for (const auto& [value, name] : bad)
    for (size_t at : {0u, 1u, 40u, 63u}) {
      std::vector<float> feature(64, 0.5f);
      feature[at] = value;
      feature[63] = value;  // a later one is not the one to name
      EXPECT_EQ(feature_refusal(feature), "feature value " + std::to_string(at + 1) + " is " + name);
    }
}

TEST(ProbeFeature, ZeroVectorsAreRefusedAndSingleZerosAreNot) {
  EXPECT_EQ(feature_refusal(std::vector<float>(64, 0.0f)), "feature is all zeros, value 1 on");
  EXPECT_EQ(feature_refusal(std::vector<float>(64, -0.0f)), "feature is all zeros, value 1 on");
  std::vector<float> one_hot(64, 0.0f);
  one_hot[63] = std::numeric_limits<float>::min();
  Contents contents;
  EXPECT_OK(set_feature(one_hot, contents));
  EXPECT_EQ(contents.feature[63], 1.0f);
  one_hot[63] = std::numeric_limits<float>::max();
  EXPECT_OK(set_feature(one_hot, contents));
}

TEST(ProbeFeature, MessagesNeverQuoteValues) {
  std::vector<float> feature(64, 0.123456f);
  feature[3] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(feature_refusal(feature).find("0.12"), std::string::npos);
}

TEST(ProbeModel, PrintableAsciiWithoutSpaces) {
  Contents contents;
  for (const std::string good : {"a", "sface/2021-12@mirror", "!~"}) {
    EXPECT_OK(set_model(good, contents));
    EXPECT_EQ(contents.model_id(), good);
  }
  EXPECT_OK(set_model(std::string(63, 'x'), contents));
  EXPECT_EQ(std::strlen(contents.model), 63u);
  const std::string bad[] = {"",   std::string(64, 'x'),  "a b", "a\n", "\x7f", "é",
                             "\t", std::string("a\0b", 3)};
  for (const std::string& model : bad)
    EXPECT_EQ(set_model(model, contents).code, Code::kInvalidArgument) << model;
  EXPECT_EQ(contents.model_id(), std::string(63, 'x')) << "a refused model changes nothing";
}

// Seals bytes of our choice as a source with faulty software would: the only way past the seal.
class ProbeSealedContents : public ::testing::Test {
 protected:
  static constexpr size_t kFeature = 0, kModel = 8 + 256, kDigest = kModel + 8 + 6,
                          kLiveness = kDigest + 8 + 32, kQuality = kLiveness + 8 + 5, kEnd = kQuality + 8 + 6;

  ProbeSealedContents() {
    std::mt19937_64 random(31);
    Contents contents = test::contents_of(test::random_feature(random, 64));
    contents.liveness_count = 1;
    contents.liveness[0] = {LivenessMethod::kPassive, 0.5f};
    contents.quality_count = 1;
    contents.quality[0] = {Measure::kHeadSize, 50, 2.0f};
    envelope = test::sealed_probe(key, contents);
    plaintext.resize(envelope.size() - kHeaderSize - 16);
    const Bytes probe_id = Bytes(envelope).subspan(12, 16);
    EXPECT_OK(
        engine().hkdf(key.suite, {key.key, 32}, {}, probe_id, as_bytes("visage/probe/1\x01"), probe_key));
    EXPECT_OK(
        engine().open(key.suite, probe_key, nonce(), aad(), Bytes(envelope).subspan(kHeaderSize), plaintext));
    EXPECT_EQ(plaintext.size(), kEnd);
  }
  Bytes nonce() const { return Bytes(envelope).subspan(92, 12); }
  Buffer aad() const {
    Buffer bytes;
    for (char c : std::string_view("visage/probe/1")) bytes.push_back(static_cast<uint8_t>(c));
    bytes.insert(bytes.end(), envelope.begin(), envelope.begin() + kHeaderSize);
    return bytes;
  }
  Status open_with(const Buffer& contents) {
    const auto size = static_cast<uint32_t>(contents.size());
    envelope.resize(kHeaderSize + size + 16);
    std::memcpy(envelope.data() + 104, &size, 4);
    EXPECT_OK(engine().seal(key.suite, probe_key, nonce(), aad(), contents,
                            MutableBytes(envelope).subspan(kHeaderSize)));
    Contents out;
    return test::open_probe(key, envelope, out);
  }
  template <typename T>
  Code code_with(size_t offset, T value) {
    Buffer edited = plaintext;
    std::memcpy(edited.data() + offset, &value, sizeof value);
    return open_with(edited).code;
  }

  SourceKey key = test::source_key(crypto::Suite::kAes256Gcm);
  Buffer envelope, plaintext, probe_key = Buffer(32);
};

TEST_F(ProbeSealedContents, UnchangedContentsOpen) {
  EXPECT_OK(open_with(plaintext));
}

TEST_F(ProbeSealedContents, CutAndExtendedContentsAreMalformed) {
  for (size_t size = 0; size < plaintext.size() + 20; ++size) {
    if (size == plaintext.size()) continue;
    Buffer other = plaintext;
    other.resize(size, 0);
    ASSERT_EQ(open_with(other).code, Code::kMalformed) << size;
  }
  EXPECT_EQ(open_with(Buffer(kMaxSize - kHeaderSize - 16, 1)).code, Code::kMalformed);
}

TEST_F(ProbeSealedContents, SectionHeadersAreChecked) {
  const size_t sections[] = {kFeature, kModel, kDigest, kLiveness, kQuality};
  for (size_t section : sections) {
    EXPECT_EQ(code_with(section, uint16_t{6}), Code::kMalformed) << "unknown tag";
    EXPECT_EQ(code_with(section, uint16_t{0}), Code::kMalformed);
    EXPECT_EQ(code_with(section + 2, uint16_t{1}), Code::kMalformed) << "reserved";
    for (uint32_t length : {0xFFFFFFFFu, 0x80000000u, 1u, 7u})
      EXPECT_EQ(code_with(section + 4, length), Code::kMalformed) << section << " " << length;
  }
}

TEST_F(ProbeSealedContents, FeatureMustHaveUnitLength) {
  const float bad[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                       3.0e38f, 2.0f};
  for (float value : bad) EXPECT_EQ(code_with(kFeature + 8 + 4 * 10, value), Code::kMalformed) << value;
  Buffer zero = plaintext;
  std::memset(zero.data() + 8, 0, 256);
  EXPECT_EQ(open_with(zero).code, Code::kMalformed);
}

TEST_F(ProbeSealedContents, ModelMustBeClean) {
  EXPECT_EQ(code_with(kModel + 8, uint8_t{0}), Code::kMalformed);
  EXPECT_EQ(code_with(kModel + 8, uint8_t{' '}), Code::kMalformed);
  EXPECT_EQ(code_with(kModel + 8, uint8_t{0x80}), Code::kMalformed);
  EXPECT_EQ(code_with(kModel + 8, uint8_t{'Z'}), Code::kOk);
}

TEST_F(ProbeSealedContents, LivenessIsAProbability) {
  for (float bad :
       {-0.01f, 1.01f, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
    EXPECT_EQ(code_with(kLiveness + 9, bad), Code::kMalformed) << bad;
  for (float good : {0.0f, 1.0f}) EXPECT_EQ(code_with(kLiveness + 9, good), Code::kOk);
}

TEST_F(ProbeSealedContents, QualityIsInRange) {
  for (int scalar = 0; scalar < 256; ++scalar)
    EXPECT_EQ(code_with(kQuality + 9, static_cast<uint8_t>(scalar)) == Code::kOk,
              scalar <= 100 || scalar == 255);
  EXPECT_EQ(code_with(kQuality + 10, std::numeric_limits<float>::quiet_NaN()), Code::kMalformed);
  EXPECT_EQ(code_with(kQuality + 10, -std::numeric_limits<float>::infinity()), Code::kMalformed);
}

TEST_F(ProbeSealedContents, MoreEntriesThanFitAreMalformed) {
  const auto with_entries = [&](size_t liveness, size_t quality) {
    Buffer bytes(plaintext.begin(), plaintext.begin() + kLiveness);
    const auto section = [&](uint8_t tag, size_t count, const Buffer& entry) {
      const auto length = static_cast<uint32_t>(count * entry.size());
      const Buffer head = {tag, 0, 0, 0, static_cast<uint8_t>(length), static_cast<uint8_t>(length >> 8),
                           0,   0};
      bytes.insert(bytes.end(), head.begin(), head.end());
      for (size_t i = 0; i < count; ++i) bytes.insert(bytes.end(), entry.begin(), entry.end());
    };
    section(4, liveness, Buffer(5, 0));
    section(5, quality, Buffer(6, 0));
    return open_with(bytes).code;
  };
  EXPECT_EQ(with_entries(0, 0), Code::kOk);
  EXPECT_EQ(with_entries(kMaxLiveness, kMaxQuality), Code::kOk);
  EXPECT_EQ(with_entries(kMaxLiveness + 1, 0), Code::kMalformed);
  EXPECT_EQ(with_entries(0, kMaxQuality + 1), Code::kMalformed);
}

// Random damage inside the seal: refused or opened, never a crash and never a value outside its range.
TEST_F(ProbeSealedContents, RandomDamageKeepsTheInvariants) {
  std::mt19937_64 random(32);
  size_t opened = 0;
  for (int round = 0; round < 20000; ++round) {
    Buffer damaged = plaintext;
    for (size_t change = 0; change <= random() % 3; ++change)
      damaged[random() % damaged.size()] = static_cast<uint8_t>(random());
    EXPECT_NE(open_with(damaged).code, Code::kInternal);
    Contents out;
    if (!test::open_probe(key, envelope, out).ok()) continue;
    ++opened;
    ASSERT_GE(out.dimension, kMinDimension);
    ASSERT_LE(out.dimension, kMaxDimension);
    ASSERT_LE(out.liveness_count, kMaxLiveness);
    ASSERT_LE(out.quality_count, kMaxQuality);
    for (size_t i = 0; i < out.dimension; ++i) ASSERT_TRUE(std::isfinite(out.feature[i]));
  }
  EXPECT_GT(opened, 100u);
}

}  // namespace
}  // namespace visage::probe
