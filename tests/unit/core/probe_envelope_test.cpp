// The probe envelope: what opens it, and everything that must not.
#include "support.h"

namespace visage::probe {
namespace {

using test::Buffer;
using test::engine;

Buffer random_probe(crypto::Suite suite, size_t dimension) {
  std::mt19937_64 random(20);
  return test::sealed_probe(test::source_key(suite),
                            test::contents_of(test::random_feature(random, dimension)));
}

// Header offsets of docs/formats.md "probe".
struct Field {
  const char* name;
  size_t offset, size;
};
constexpr Field kFields[] = {
    {"key version", 4, 4},     {"institution", 8, 4},  {"probe id", 12, 16},
    {"source", 28, 16},        {"captured at", 44, 8}, {"expires at", 52, 8},
    {"session nonce", 60, 32}, {"nonce", 92, 12},      {"source generation", 108, 4}};

TEST(ProbeEnvelope, CarriesItsContents) {
  std::mt19937_64 random(21);
  for (crypto::Suite suite : test::kSuites)
    for (size_t dimension : {64u, 65u, 128u, 512u, 513u, 2048u}) {
      const SourceKey key = test::source_key(suite);
      Contents in = test::contents_of(test::random_feature(random, dimension), "sface/2021-12");
      std::memset(in.image_digest, 0xD1, sizeof in.image_digest);
      in.liveness_count = 2;
      in.liveness[0] = {LivenessMethod::kPassive, 0.0f};
      in.liveness[1] = {LivenessMethod::kDeclared, 1.0f};
      in.quality_count = 2;
      in.quality[0] = {Measure::kInterEyeDistance, 100, 92.5f};
      in.quality[1] = {Measure::kImageWidth, kScalarUndetermined, -1.0f};
      const Buffer envelope = test::sealed_probe(key, in);
      Header header;
      Contents out;
      ASSERT_OK(open(engine(), {key.key, kSourceKeySize}, envelope, header, out));
      EXPECT_EQ(header.suite, suite);
      EXPECT_EQ(header.key_version, 3u);
      EXPECT_EQ(header.institution, 1u);
      EXPECT_EQ(header.source, key.source);
      EXPECT_EQ(header.source_generation, 1u);
      EXPECT_EQ(header.captured_at, 1'000'000);
      EXPECT_EQ(header.expires_at, 61'000'000);
      EXPECT_EQ(header.session_nonce[31], 0x77);
      ASSERT_EQ(out.dimension, dimension);
      EXPECT_EQ(std::memcmp(out.feature, in.feature, dimension * sizeof(float)), 0) << "bit for bit";
      EXPECT_EQ(out.model_id(), "sface/2021-12");
      EXPECT_EQ(out.image_digest[31], 0xD1);
      ASSERT_EQ(out.liveness_count, 2);
      EXPECT_EQ(out.liveness[1].method, LivenessMethod::kDeclared);
      EXPECT_EQ(out.liveness[1].value, 1.0f);
      ASSERT_EQ(out.quality_count, 2);
      EXPECT_EQ(out.quality[0].measure, Measure::kInterEyeDistance);
      EXPECT_EQ(out.quality[0].native, 92.5f);
      EXPECT_EQ(out.quality[1].scalar, kScalarUndetermined);
    }
}

TEST(ProbeEnvelope, LargestContentsFit) {
  std::mt19937_64 random(22);
  const SourceKey key = test::source_key(crypto::Suite::kSm4CtrHmacSm3);
  Contents in =
      test::contents_of(test::random_feature(random, kMaxDimension), std::string(kMaxModelLength, 'm'));
  in.liveness_count = kMaxLiveness;
  for (auto& liveness : in.liveness) liveness = {LivenessMethod::kPassive, 0.5f};
  in.quality_count = kMaxQuality;
  for (auto& quality : in.quality) quality = {Measure::kHeadSize, 50, 1.0f};
  const Buffer envelope = test::sealed_probe(key, in);
  EXPECT_LE(envelope.size(), kMaxSize);
  Contents out;
  ASSERT_OK(test::open_probe(key, envelope, out));
  EXPECT_EQ(out.quality_count, kMaxQuality);
  EXPECT_EQ(out.model_id().size(), kMaxModelLength);
}

TEST(ProbeEnvelope, TwoSealingsOfOneCaptureShareNothingSecret) {
  std::mt19937_64 random(23);
  const SourceKey key = test::source_key(crypto::Suite::kAes256Gcm);
  const Contents contents = test::contents_of(test::random_feature(random, 512));
  const Buffer a = test::sealed_probe(key, contents), b = test::sealed_probe(key, contents);
  Header first, second;
  ASSERT_OK(parse(a, first));
  ASSERT_OK(parse(b, second));
  EXPECT_FALSE(first.probe == second.probe) << "each probe is used once, by its id";
  const size_t bits = (a.size() - kHeaderSize) * 8;
  const size_t different = test::differing_bits(Bytes(a).subspan(kHeaderSize), Bytes(b).subspan(kHeaderSize));
  EXPECT_NEAR(static_cast<double>(different), bits / 2.0, 6 * std::sqrt(bits / 4.0));
}

// [8.2.4c] [6.6h] encrypted: the feature is nowhere in the envelope.
TEST(ProbeEnvelope, HidesTheFeature) {
  std::mt19937_64 random(24);
  const Contents contents = test::contents_of(test::random_feature(random, 128), "a-model-to-look-for");
  for (crypto::Suite suite : test::kSuites) {
    const Buffer envelope = test::sealed_probe(test::source_key(suite), contents);
    const std::string hex = test::to_hex(envelope);
    for (size_t i = 0; i < contents.dimension; ++i) {
      const std::string value = test::to_hex({reinterpret_cast<const uint8_t*>(&contents.feature[i]), 4});
      EXPECT_EQ(hex.find(value, 2 * kHeaderSize), std::string::npos);
    }
    EXPECT_EQ(hex.find(test::to_hex(as_bytes("a-model"))), std::string::npos);
  }
}

// [8.2.4c] [8.2.2d] tamper-proof: every single bit.
TEST(ProbeEnvelope, EveryFlippedBitFailsToOpen) {
  for (const auto& [suite, dimension] : {std::pair{crypto::Suite::kAes256Gcm, 64},
                                         {crypto::Suite::kAes256Gcm, 2048},
                                         {crypto::Suite::kSm4CtrHmacSm3, 128}}) {
    const SourceKey key = test::source_key(suite);
    Buffer envelope = random_probe(suite, static_cast<size_t>(dimension));
    Contents contents;
    for (size_t bit = 0; bit < envelope.size() * 8; ++bit) {
      envelope[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      const Status status = test::open_probe(key, envelope, contents);
      ASSERT_FALSE(status.ok()) << crypto::suite_name(suite) << ", byte " << bit / 8 << ", bit " << bit % 8;
      ASSERT_NE(status.code, Code::kInternal) << bit;
      if (bit / 8 >= kHeaderSize) {
        ASSERT_EQ(status.code, Code::kAuthenticationFailed) << bit;
      }
      envelope[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    }
    EXPECT_OK(test::open_probe(key, envelope, contents)) << "untouched, it opens";
  }
}

TEST(ProbeEnvelope, EveryOtherLengthIsMalformed) {
  for (crypto::Suite suite : test::kSuites) {
    const Buffer envelope = random_probe(suite, 64);
    Header header;
    for (size_t size = 0; size <= envelope.size() + 40; ++size) {
      if (size == envelope.size()) continue;
      // An exact allocation, so that a sanitizer sees a read past the end.
      const auto copy = std::make_unique<uint8_t[]>(size);
      std::memcpy(copy.get(), envelope.data(), std::min(size, envelope.size()));
      ASSERT_EQ(parse({copy.get(), size}, header).code, Code::kMalformed) << size;
    }
    // Past the bound an envelope is refused even when its length field agrees.
    for (const size_t size : {kMaxSize, kMaxSize + 1}) {
      Buffer huge = envelope;
      huge.resize(size);
      const auto contents = static_cast<uint32_t>(size - kHeaderSize - crypto::tag_size(suite));
      std::memcpy(huge.data() + 104, &contents, 4);
      EXPECT_EQ(parse(huge, header).code, size > kMaxSize ? Code::kMalformed : Code::kOk);
    }
  }
}

// A length that agrees with a longer envelope is still nothing that seal() writes.
TEST(ProbeEnvelope, ConsistentLengthsDoNotOpen) {
  const SourceKey key = test::source_key(crypto::Suite::kAes256Gcm);
  Buffer envelope = random_probe(crypto::Suite::kAes256Gcm, 64);
  for (size_t size : {size_t{0}, size_t{1}, size_t{300}, kMaxSize - kHeaderSize - 16}) {
    envelope.resize(kHeaderSize + size + 16);
    const auto written = static_cast<uint32_t>(size);
    std::memcpy(envelope.data() + 104, &written, 4);
    Contents contents;
    const Status status = test::open_probe(key, envelope, contents);
    EXPECT_TRUE(status.code == Code::kAuthenticationFailed || status.code == Code::kMalformed)
        << status.message;
  }
}

// [8.2.4e] each identifier of the header edited to another value that is well-formed.
TEST(ProbeEnvelope, EveryIdentifierIsAuthenticated) {
  for (crypto::Suite suite : test::kSuites) {
    const SourceKey key = test::source_key(suite);
    for (const Field& field : kFields) {
      Buffer envelope = random_probe(suite, 64);
      envelope[field.offset] ^= 0x04;  // keeps versions above 0 and times in order
      Header header;
      Contents contents;
      ASSERT_OK(parse(envelope, header)) << field.name;
      EXPECT_EQ(test::open_probe(key, envelope, contents).code, Code::kAuthenticationFailed) << field.name;
    }
  }
}

TEST(ProbeEnvelope, UnknownVersionsSuitesAndKindsAreRefused) {
  const Buffer envelope = random_probe(crypto::Suite::kAes256Gcm, 64);
  const struct {
    size_t offset;
    int value;
    Code code;
  } edits[] = {{0, 'R', Code::kMalformed}, {0, 'K', Code::kMalformed}, {0, 0, Code::kMalformed},
               {1, 0, Code::kUnsupported}, {1, 2, Code::kUnsupported}, {1, 255, Code::kUnsupported},
               {2, 0, Code::kUnsupported}, {2, 3, Code::kUnsupported}, {2, 2, Code::kMalformed},
               {3, 1, Code::kMalformed},   {3, 255, Code::kMalformed}};
  for (const auto& edit : edits) {
    Buffer edited = envelope;
    edited[edit.offset] = static_cast<uint8_t>(edit.value);
    Header header;
    EXPECT_EQ(parse(edited, header).code, edit.code) << edit.offset << " = " << edit.value;
  }
}

TEST(ProbeEnvelope, HeaderValuesOutOfRangeAreMalformed) {
  const Buffer envelope = random_probe(crypto::Suite::kAes256Gcm, 64);
  const auto with = [&](size_t offset, auto value) {
    Buffer edited = envelope;
    std::memcpy(edited.data() + offset, &value, sizeof value);
    Header header;
    return parse(edited, header).code;
  };
  EXPECT_EQ(with(4, uint32_t{0}), Code::kMalformed) << "key version 0";
  EXPECT_EQ(with(8, uint32_t{0}), Code::kMalformed) << "institution 0";
  EXPECT_EQ(with(44, int64_t{-1}), Code::kMalformed) << "before 1970";
  EXPECT_EQ(with(52, int64_t{1'000'000}), Code::kMalformed) << "expires when captured";
  EXPECT_EQ(with(52, INT64_MIN), Code::kMalformed);
  EXPECT_EQ(with(52, int64_t{1'000'001}), Code::kOk);
  EXPECT_EQ(with(52, kMaxTime - 1), Code::kOk);
  EXPECT_EQ(with(52, kMaxTime), Code::kMalformed) << "no timestamp of the database's";
  EXPECT_EQ(with(52, INT64_MAX), Code::kMalformed);
  EXPECT_EQ(with(108, uint32_t{0}), Code::kMalformed) << "source generation 0";
}

TEST(ProbeEnvelope, OpensOnlyUnderItsSourcesKey) {
  for (crypto::Suite suite : test::kSuites) {
    const SourceKey key = test::source_key(suite);
    const Buffer envelope = random_probe(suite, 64);
    Contents contents;
    for (const auto& [institution, source, generation] :
         {std::tuple{2u, 0x5C, 1u}, {1u, 0x5D, 1u}, {1u, 0x5C, 2u}}) {
      SourceKey other;
      ASSERT_OK(keys::derive_source_key(engine(), test::ring(), suite, 3, institution,
                                        test::uuid(static_cast<uint8_t>(source)), generation, other));
      EXPECT_EQ(test::open_probe(other, envelope, contents).code, Code::kAuthenticationFailed);
    }
    EXPECT_OK(test::open_probe(key, envelope, contents));
  }
}

}  // namespace
}  // namespace visage::probe
