// The reference envelope: tied to its subject, its generation, its model and every one of its bits.
#include "support.h"

namespace visage::reference {
namespace {

using test::Buffer;
using test::engine;
using test::kAlice;
using test::kBob;
using test::ring;
using test::Subject;

probe::Contents random_contents(uint64_t seed, size_t dimension) {
  std::mt19937_64 random(seed);
  return test::contents_of(test::random_feature(random, dimension));
}

// Header offsets of docs/formats.md "reference".
struct Field {
  const char* name;
  size_t offset, size;
};
constexpr Field kFields[] = {{"dimension", 6, 2},    {"key version", 8, 4},    {"transform version", 12, 4},
                             {"institution", 16, 4}, {"generation", 20, 4},    {"reference id", 24, 16},
                             {"subject", 40, 16},    {"model digest", 56, 16}, {"salt", 72, 32},
                             {"nonce", 104, 12}};

const uint8_t* parse_nonce(const Buffer& envelope) {
  return envelope.data() + 104;
}

// Opens under the owner that the (edited) header names, so that only authentication can refuse.
Status open_as_named(const Subject& subject, const Buffer& envelope, const keys::KeyRing& keys) {
  Header header;
  Secret<Opened> opened;
  VISAGE_TRY(parse(envelope, header));
  return open(engine(), keys, header.owner, subject.key, test::stored(envelope), header, opened.value);
}

TEST(ReferenceEnvelope, OpensToTheSignsOfTheRotatedFeature) {
  for (crypto::Suite suite : test::kSuites) {
    const Subject alice(kAlice, suite);
    for (size_t dimension : {64u, 128u, 512u, 513u, 2048u})
      for (size_t code_bits : {512u, 1024u, 2048u}) {
        const probe::Contents contents = random_contents(dimension, dimension);
        const Buffer envelope = alice.enrol(contents, code_bits);
        ASSERT_EQ(envelope.size(), sealed_size(suite, code_bits));
        Opened opened;
        ASSERT_OK(alice.open(envelope, opened));
        std::vector<float> rotated(code_bits);
        rotate(contents.feature, dimension, code_bits, opened.masks, rotated.data());
        Buffer code(code_bits / 8);
        pack_signs(rotated.data(), code_bits, code.data());
        EXPECT_EQ(std::memcmp(code.data(), opened.code, code.size()), 0) << dimension << " " << code_bits;
      }
  }
}

TEST(ReferenceEnvelope, HeaderSaysWhatItDependsOn) {
  const Subject alice(kAlice);
  Header header;
  ASSERT_OK(parse(alice.enrol(random_contents(1, 512), 1024, 7), header));
  EXPECT_EQ(header.key_version, 3u) << "the newest envelope root";
  EXPECT_EQ(header.transform_version, 5u) << "the newest transform root";
  EXPECT_EQ(header.generation, 7u);
  EXPECT_EQ(header.dimension, 512u);
  EXPECT_EQ(header.code_bits, 1024u);
  EXPECT_EQ(header.owner.subject, kAlice.subject);
}

// A default reference is stored in the row, never in a TOAST table.
TEST(ReferenceEnvelope, IsSmall) {
  EXPECT_EQ(sealed_size(crypto::Suite::kAes256Gcm, 1024), 264u);
  EXPECT_EQ(sealed_size(crypto::Suite::kSm4CtrHmacSm3, 1024), 280u);
}

// [8.2.4c] [8.2.4e]
TEST(ReferenceEnvelope, EveryFlippedBitFailsToOpen) {
  for (crypto::Suite suite : test::kSuites) {
    const Subject alice(kAlice, suite);
    for (size_t code_bits : {512u, 1024u}) {
      Buffer envelope = alice.enrol(random_contents(2, 128), code_bits);
      Opened opened;
      for (size_t bit = 0; bit < envelope.size() * 8; ++bit) {
        envelope[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
        const Status status = alice.open(envelope, opened);
        ASSERT_FALSE(status.ok()) << crypto::suite_name(suite) << ", byte " << bit / 8 << ", bit " << bit % 8;
        ASSERT_NE(status.code, Code::kInternal) << bit;
        if (bit / 8 >= kHeaderSize) {
          ASSERT_EQ(status.code, Code::kAuthenticationFailed) << bit;
        }
        envelope[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      }
      EXPECT_OK(alice.open(envelope, opened)) << "untouched, it opens";
    }
  }
}

TEST(ReferenceEnvelope, EveryOtherLengthIsMalformed) {
  for (crypto::Suite suite : test::kSuites) {
    const Buffer envelope = Subject(kAlice, suite).enrol(random_contents(3, 64));
    Header header;
    for (size_t size = 0; size <= kMaxSize + 40; ++size) {
      if (size == envelope.size()) continue;
      const auto copy =
          std::make_unique<uint8_t[]>(size);  // exact, so that a sanitizer sees a read past the end
      std::memset(copy.get(), 0, size);
      std::memcpy(copy.get(), envelope.data(), std::min(size, envelope.size()));
      ASSERT_EQ(parse({copy.get(), size}, header).code, Code::kMalformed) << size;
    }
  }
}

// [8.2.4e] each identifier of the header edited to another well-formed value, and opened under the owner it
// then names.
TEST(ReferenceEnvelope, EveryIdentifierIsAuthenticated) {
  // Every version that an edit can name is loaded: with key material of its own, and with the same material
  // under every version, where another key is not what refuses.
  for (const bool same : {false, true}) {
    keys::KeyRing many = {};
    std::mt19937_64 random(12);
    Buffer root = test::random_bytes(random, 32);
    for (uint32_t version = 1; version <= 7; ++version)
      for (keys::RootSet* custody : {&many.envelope, &many.transform}) {
        if (!same) root = test::random_bytes(random, 32);
        ASSERT_OK(keys::add_root(engine(), *custody, version, root));
      }
    for (crypto::Suite suite : test::kSuites) {
      const Subject alice(kAlice, suite, many);
      const Buffer envelope = alice.enrol(random_contents(4, 128), 1024, 5);
      EXPECT_OK(open_as_named(alice, envelope, many));
      for (const Field& field : kFields) {
        Buffer edited = envelope;
        edited[field.offset] ^= 0x02;  // key version 7 → 5, generation 5 → 7, dimension 128 → 130 …
        EXPECT_EQ(open_as_named(alice, edited, many).code, Code::kAuthenticationFailed)
            << field.name << (same ? ", one key" : "");
      }
    }
  }
}

// The same for the fields that change the envelope's length: the length is made to agree with the lie.
TEST(ReferenceEnvelope, SuiteAndCodeLengthAreAuthenticated) {
  const Subject alice(kAlice);
  const Buffer envelope = alice.enrol(random_contents(5, 128));
  Buffer edited = envelope;
  edited[2] = 2;
  edited.resize(sealed_size(crypto::Suite::kSm4CtrHmacSm3, 1024));
  EXPECT_EQ(open_as_named(alice, edited, ring()).code, Code::kAuthenticationFailed);
  for (uint16_t bits : {512, 2048}) {
    edited = envelope;
    std::memcpy(edited.data() + 4, &bits, 2);
    edited.resize(sealed_size(crypto::Suite::kAes256Gcm, bits));
    EXPECT_EQ(open_as_named(alice, edited, ring()).code, Code::kAuthenticationFailed) << bits;
  }
}

// [6.2e] Made anew from another capture: the same id, the next generation, and nothing else of the old one.
// The old envelope does not open in the new one's row.
TEST(ReferenceEnvelope, IsRenewedUnderItsId) {
  for (crypto::Suite suite : test::kSuites) {
    const Subject alice(kAlice, suite);
    const Buffer old = alice.enrol(random_contents(20, 128), 1024, 3);
    const probe::Contents capture = random_contents(21, 128);
    Header before, header = {};
    ASSERT_OK(parse(old, before));
    header.suite = suite;
    header.scheme = kSchemeRfr1;
    header.code_bits = kDefaultCodeBits;
    header.owner = alice.owner;
    header.reference = before.reference;
    header.generation = before.generation + 1;
    Buffer renewed(sealed_size(suite, kDefaultCodeBits));
    ASSERT_OK(renew(engine(), ring(), alice.key, capture, header, renewed));
    Header after;
    ASSERT_OK(parse(renewed, after));
    EXPECT_EQ(after.reference, before.reference);
    EXPECT_EQ(after.generation, before.generation + 1);
    EXPECT_EQ(after.transform_version, ring().transform.newest()->version);
    EXPECT_NE(std::memcmp(after.salt, before.salt, sizeof after.salt), 0);
    EXPECT_GT(alice.score(renewed, capture), 0.9);
    Opened opened;
    const Stored row = {after.reference, after.generation, old};
    EXPECT_EQ(open(engine(), ring(), alice.owner, alice.key, row, header, opened).code,
              Code::kAuthenticationFailed);
  }
}

// [8.2.4e] [6.2b] a row copied to another subject, or to the same subject id of another institution.
TEST(ReferenceEnvelope, BelongsToOneSubject) {
  const keys::Owner elsewhere = {kAlice.institution + 1, kAlice.subject};
  for (crypto::Suite suite : test::kSuites) {
    const Subject alice(kAlice, suite), bob(kBob, suite), other(elsewhere, suite);
    const Buffer envelope = alice.enrol(random_contents(6, 128));
    for (const Subject* thief : {&bob, &other}) {
      Opened opened;
      const Status status = thief->open(envelope, opened);
      EXPECT_EQ(status.code, Code::kAuthenticationFailed);
      EXPECT_STREQ(status.message, "reference belongs to another subject");
      // With the header edited to name the thief, and under either subject's key.
      Buffer edited = envelope;
      std::memcpy(edited.data() + 16, &thief->owner.institution, 4);
      std::memcpy(edited.data() + 40, thief->owner.subject.bytes, 16);
      EXPECT_EQ(thief->open(edited, opened).code, Code::kAuthenticationFailed);
      EXPECT_EQ(open_as_named(alice, edited, ring()).code, Code::kAuthenticationFailed);
    }
  }
}

// Crypto-shred: a subject that is registered again has a new key, and the old references stay shut. [8.2.5g]
TEST(ReferenceEnvelope, NeedsItsSubjectsKey) {
  const Subject alice(kAlice), again(kAlice);
  Opened opened;
  EXPECT_EQ(again.open(alice.enrol(random_contents(7, 128)), opened).code, Code::kAuthenticationFailed);
}

TEST(ReferenceEnvelope, MissingRootsAreTold) {
  const Subject alice(kAlice);
  const Buffer envelope = alice.enrol(random_contents(8, 128));
  keys::KeyRing missing = ring();
  missing.transform.count = 1;
  Status status = open_as_named(alice, envelope, missing);
  EXPECT_EQ(status.code, Code::kKeyMissing);
  EXPECT_STREQ(status.message, "transform key version 5 is not loaded");
  missing = ring();
  missing.envelope.count = 1;
  status = open_as_named(alice, envelope, missing);
  EXPECT_EQ(status.code, Code::kKeyMissing);
  EXPECT_STREQ(status.message, "envelope key version 3 is not loaded");
}

// Another key under a version that is in use is told as such. For the transform root this matters most: were
// it not authenticated, every genuine comparison would quietly score about zero.
TEST(ReferenceEnvelope, ReplacedRootsAreTold) {
  for (crypto::Suite suite : test::kSuites) {
    const Subject alice(kAlice, suite);
    const Buffer envelope = alice.enrol(random_contents(8, 128));
    for (auto custody : {&keys::KeyRing::envelope, &keys::KeyRing::transform})
      for (size_t byte : {0u, 31u}) {
        keys::KeyRing replaced = ring();
        replaced.*custody =
            test::with_changed_root(ring().*custody, (ring().*custody).newest()->version, byte);
        const Status status = open_as_named(alice, envelope, replaced);
        EXPECT_EQ(status.code, Code::kAuthenticationFailed);
        EXPECT_NE(std::string(status.message).find("envelope key version 3 and transform key version 5"),
                  std::string::npos);
        // The root that is not in use may change.
        replaced = ring();
        replaced.*custody =
            test::with_changed_root(ring().*custody, (ring().*custody).roots[0].version, byte);
        EXPECT_OK(open_as_named(alice, envelope, replaced));
      }
  }
}

// A reference comes under a new envelope root without a new capture: it says the same, and its digest in the
// ledger still fits. [8.2.5g]
TEST(ReferenceEnvelope, ResealsUnderTheNewestRoot) {
  for (crypto::Suite suite : test::kSuites) {
    keys::KeyRing old = ring();
    old.envelope.count = 1;
    const Subject alice(kAlice, suite, old);
    const Buffer envelope = alice.enrol(random_contents(12, 128));
    Header header, again;
    Secret<Opened> opened, reopened;
    ASSERT_OK(open(engine(), ring(), kAlice, alice.key, test::stored(envelope), header, opened.value));
    uint8_t before[kDigestSize], after[kDigestSize];
    ASSERT_OK(digest(engine(), alice.key, header, opened.value, before));
    Buffer resealed(envelope.size());
    ASSERT_OK(reseal(engine(), ring(), alice.key, header, opened.value, resealed));
    EXPECT_EQ(header.key_version, ring().envelope.newest()->version);
    keys::KeyRing without = ring();
    without.envelope.roots[0] = without.envelope.roots[1];
    without.envelope.count = 1;
    ASSERT_OK(open(engine(), without, kAlice, alice.key, test::stored(resealed), again, reopened.value));
    EXPECT_EQ(std::memcmp(opened.value.code, reopened.value.code, 1024 / 8), 0);
    ASSERT_OK(digest(engine(), alice.key, again, reopened.value, after));
    EXPECT_EQ(std::memcmp(before, after, sizeof before), 0);
    EXPECT_NE(std::memcmp(header.nonce, parse_nonce(envelope), crypto::kNonceSize), 0);
  }
}

// [8.2.4e] one bit of the code, another row, another generation, another key: another digest.
TEST(ReferenceEnvelope, DigestIsOfWhatTheReferenceSays) {
  const Subject alice(kAlice), bob(kBob);
  Header header;
  Secret<Opened> opened;
  const Buffer envelope = alice.enrol(random_contents(13, 128));
  ASSERT_OK(open(engine(), ring(), kAlice, alice.key, test::stored(envelope), header, opened.value));
  std::set<std::string> seen;
  const auto add = [&](const keys::SubjectKey& key, const Header& said, const Opened& code) {
    uint8_t out[kDigestSize];
    ASSERT_OK(digest(engine(), key, said, code, out));
    seen.insert(test::to_hex(out));
  };
  add(alice.key, header, opened.value);
  add(bob.key, header, opened.value);
  for (size_t bit : {0u, 1023u}) {
    Opened flipped = opened.value;
    flipped.code[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    add(alice.key, header, flipped);
  }
  for (auto change :
       {+[](Header& h) { ++h.generation; }, +[](Header& h) { ++h.transform_version; },
        +[](Header& h) { ++h.owner.institution; }, +[](Header& h) { ++h.dimension; },
        +[](Header& h) { h.reference.bytes[0] ^= 1; }, +[](Header& h) { h.salt[31] ^= 1; },
        +[](Header& h) { h.owner.subject.bytes[15] ^= 1; }, +[](Header& h) { h.model_digest[0] ^= 1; }}) {
    Header other = header;
    change(other);
    add(alice.key, other, opened.value);
  }
  EXPECT_EQ(seen.size(), 12u);
}

// [8.2.4e] an intact envelope in another row of its subject, or put back where a newer generation is.
TEST(ReferenceEnvelope, BelongsToOneRowAndGeneration) {
  const Subject alice(kAlice);
  const Buffer first = alice.enrol(random_contents(11, 128), 1024, 1),
               second = alice.enrol(random_contents(11, 128), 1024, 2);
  const Stored rows[] = {test::stored(first), test::stored(second)};
  Header header;
  Opened opened;
  const auto open_row = [&](const Stored& row) {
    return open(engine(), ring(), kAlice, alice.key, row, header, opened);
  };
  EXPECT_OK(open_row(rows[0]));
  EXPECT_OK(open_row(rows[1]));
  for (const Stored& row :
       {Stored{rows[1].id, 2, first}, Stored{rows[0].id, 2, first}, Stored{rows[1].id, 1, first}}) {
    const Status status = open_row(row);
    EXPECT_EQ(status.code, Code::kAuthenticationFailed);
    EXPECT_STREQ(status.message, "reference is not the one that its row names");
  }
}

TEST(ReferenceEnvelope, UnknownVersionsSuitesSchemesAndSizesAreRefused) {
  const Buffer envelope = Subject(kAlice).enrol(random_contents(9, 128));
  const auto with = [&](size_t offset, auto value) {
    Buffer edited = envelope;
    std::memcpy(edited.data() + offset, &value, sizeof value);
    Header header;
    return parse(edited, header).code;
  };
  EXPECT_EQ(with(0, uint8_t{'P'}), Code::kMalformed);
  for (int version : {0, 2, 255}) EXPECT_EQ(with(1, static_cast<uint8_t>(version)), Code::kUnsupported);
  for (int suite : {0, 3, 255}) EXPECT_EQ(with(2, static_cast<uint8_t>(suite)), Code::kUnsupported);
  for (int scheme : {0, 2, 255}) EXPECT_EQ(with(3, static_cast<uint8_t>(scheme)), Code::kUnsupported);
  for (int bits : {0, 8, 511, 513, 1023, 1025, 4096, 65535})
    EXPECT_EQ(with(4, static_cast<uint16_t>(bits)), Code::kMalformed) << bits;
  for (int dimension : {0, 63, 2049, 65535})
    EXPECT_EQ(with(6, static_cast<uint16_t>(dimension)), Code::kMalformed);
  for (size_t offset : {8u, 12u, 16u, 20u}) EXPECT_EQ(with(offset, uint32_t{0}), Code::kMalformed) << offset;
  for (size_t offset = 116; offset < 120; ++offset) EXPECT_EQ(with(offset, uint8_t{1}), Code::kMalformed);
}

TEST(ReferenceEnvelope, ProtectRefusesWhatItCannotMake) {
  const Subject alice(kAlice);
  const probe::Contents contents = random_contents(10, 128);
  const auto protect_with = [&](uint8_t scheme, uint16_t bits, size_t size, const keys::KeyRing& keys) {
    Header header = {};
    header.suite = crypto::Suite::kAes256Gcm;
    header.scheme = scheme;
    header.code_bits = bits;
    header.owner = kAlice;
    header.generation = 1;
    Buffer out(size);
    return protect(engine(), keys, alice.key, contents, header, out).code;
  };
  EXPECT_EQ(protect_with(1, 1024, 264, ring()), Code::kOk);
  EXPECT_EQ(protect_with(2, 1024, 264, ring()), Code::kInternal);
  EXPECT_EQ(protect_with(1, 1000, 261, ring()), Code::kInternal);
  EXPECT_EQ(protect_with(1, 1024, 263, ring()), Code::kInternal);
  EXPECT_EQ(protect_with(1, 1024, 264, keys::KeyRing{}), Code::kKeyMissing);
}

}  // namespace
}  // namespace visage::reference
