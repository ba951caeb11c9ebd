// The wrapped subject key: tied to its owner, its root, and every one of its bits.
#include "support.h"

namespace visage::keys {
namespace {

using test::Buffer;
using test::engine;
using test::kAlice;
using test::kBob;
using test::ring;

Buffer wrap(const Owner& owner, crypto::Suite suite) {
  Buffer wrapped(wrapped_size(suite));
  EXPECT_OK(new_subject_key(engine(), ring(), suite, owner, wrapped));
  return wrapped;
}
Status unwrap(const Owner& owner, Bytes wrapped, const KeyRing& keys = ring()) {
  Secret<SubjectKey> key;
  return unwrap_subject_key(engine(), keys, owner, wrapped, key.value);
}

TEST(KeysSubject, UnwrapsToTheSameKeyEveryTime) {
  for (crypto::Suite suite : test::kSuites) {
    const Buffer wrapped = wrap(kAlice, suite);
    SubjectKey a, b;
    ASSERT_OK(unwrap_subject_key(engine(), ring(), kAlice, wrapped, a));
    ASSERT_OK(unwrap_subject_key(engine(), ring(), kAlice, wrapped, b));
    EXPECT_EQ(test::to_hex(a.view()), test::to_hex(b.view()));
  }
}

TEST(KeysSubject, EverySubjectKeyIsNew) {
  SubjectKey a, b;
  ASSERT_OK(unwrap_subject_key(engine(), ring(), kAlice, wrap(kAlice, crypto::Suite::kAes256Gcm), a));
  ASSERT_OK(unwrap_subject_key(engine(), ring(), kAlice, wrap(kAlice, crypto::Suite::kAes256Gcm), b));
  EXPECT_NEAR(static_cast<double>(test::differing_bits(a.view(), b.view())), 128, 64);
}

TEST(KeysSubject, NewestRootWrapsAndItsVersionCanBeRead) {
  uint32_t version = 0;
  ASSERT_OK(wrapped_key_version(wrap(kAlice, crypto::Suite::kAes256Gcm), version));
  EXPECT_EQ(version, 3u);
}

// [8.2.4c] [8.2.4e]
TEST(KeysSubject, EveryFlippedBitFailsToUnwrap) {
  for (crypto::Suite suite : test::kSuites) {
    Buffer wrapped = wrap(kAlice, suite);
    for (size_t bit = 0; bit < wrapped.size() * 8; ++bit) {
      wrapped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      const Status status = unwrap(kAlice, wrapped);
      ASSERT_FALSE(status.ok()) << crypto::suite_name(suite) << ", bit " << bit;
      ASSERT_NE(status.code, Code::kInternal) << bit;
      wrapped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    }
    EXPECT_OK(unwrap(kAlice, wrapped));
  }
}

TEST(KeysSubject, EveryOtherLengthIsMalformed) {
  for (crypto::Suite suite : test::kSuites) {
    const Buffer wrapped = wrap(kAlice, suite);
    for (size_t size = 0; size <= wrapped.size() + 64; ++size) {
      if (size == wrapped.size()) continue;
      Buffer other = wrapped;
      other.resize(size, 0);
      ASSERT_EQ(unwrap(kAlice, other).code, Code::kMalformed) << size;
    }
  }
}

// [8.2.4e] a row moved to another person, or to another institution, with or without its header edited to
// match.
TEST(KeysSubject, BelongsToOneOwner) {
  const Owner elsewhere = {kAlice.institution + 1, kAlice.subject};
  for (crypto::Suite suite : test::kSuites) {
    const Buffer wrapped = wrap(kAlice, suite);
    EXPECT_EQ(unwrap(kBob, wrapped).code, Code::kAuthenticationFailed);
    EXPECT_EQ(unwrap(elsewhere, wrapped).code, Code::kAuthenticationFailed);
    Buffer edited = wrapped;
    std::memcpy(edited.data() + 12, kBob.subject.bytes, 16);
    EXPECT_EQ(unwrap(kBob, edited).code, Code::kAuthenticationFailed);
    edited = wrapped;
    edited[8] = static_cast<uint8_t>(elsewhere.institution);
    EXPECT_EQ(unwrap(elsewhere, edited).code, Code::kAuthenticationFailed);
  }
}

// [8.2.4e] the same root under two versions: only authentication of the version itself can tell them apart.
TEST(KeysSubject, TheRootsVersionIsAuthenticated) {
  KeyRing same = {};
  for (uint32_t version : {4u, 5u}) ASSERT_OK(add_root(engine(), same.envelope, version, Buffer(32, 0x5A)));
  for (crypto::Suite suite : test::kSuites) {
    Buffer wrapped(wrapped_size(suite));
    ASSERT_OK(new_subject_key(engine(), same, suite, kAlice, wrapped));
    EXPECT_OK(unwrap(kAlice, wrapped, same));
    wrapped[4] ^= 1;  // version 5 → 4
    EXPECT_EQ(unwrap(kAlice, wrapped, same).code, Code::kAuthenticationFailed);
  }
}

TEST(KeysSubject, MissingAndReplacedRootsAreTold) {
  const Buffer wrapped = wrap(kAlice, crypto::Suite::kAes256Gcm);
  KeyRing older = ring();
  older.envelope.count = 1;
  const Status missing = unwrap(kAlice, wrapped, older);
  EXPECT_EQ(missing.code, Code::kKeyMissing);
  EXPECT_STREQ(missing.message, "envelope key version 3 is not loaded");

  KeyRing replaced = ring();
  replaced.envelope = test::with_changed_root(ring().envelope, 3, 31);
  const Status wrong = unwrap(kAlice, wrapped, replaced);
  EXPECT_EQ(wrong.code, Code::kAuthenticationFailed);
  EXPECT_NE(std::string(wrong.message).find("version 3"), std::string::npos);

  // Editing the header to name a root that is loaded does not help.
  Buffer edited = wrapped;
  edited[4] = 1;
  EXPECT_EQ(unwrap(kAlice, edited).code, Code::kAuthenticationFailed);
}

TEST(KeysSubject, UnknownVersionsAndSuitesAreUnsupported) {
  const Buffer wrapped = wrap(kAlice, crypto::Suite::kAes256Gcm);
  for (const auto& [offset, value] : {std::pair{1, 0}, {1, 2}, {1, 255}, {2, 0}, {2, 3}, {2, 255}}) {
    Buffer edited = wrapped;
    edited[static_cast<size_t>(offset)] = static_cast<uint8_t>(value);
    EXPECT_EQ(unwrap(kAlice, edited).code, Code::kUnsupported) << offset << " " << value;
  }
}

TEST(KeysSubject, ReservedAndZeroFieldsAreMalformed) {
  const Buffer wrapped = wrap(kAlice, crypto::Suite::kAes256Gcm);
  for (const auto& [offset, size, value] : {std::tuple{3, 1, 1}, {4, 4, 0}, {8, 4, 0}}) {
    Buffer edited = wrapped;
    std::memcpy(edited.data() + offset, &value, static_cast<size_t>(size));
    EXPECT_EQ(unwrap(kAlice, edited).code, Code::kMalformed) << offset;
  }
}

// After a new root the same key comes under it; the old wrapping need not be kept. [8.2.5g]
TEST(KeysSubject, RewrapsTheSameKeyUnderTheNewestRoot) {
  for (crypto::Suite suite : test::kSuites) {
    KeyRing old = ring();
    old.envelope.count = 1;
    Buffer wrapped(wrapped_size(suite)), rewrapped(wrapped_size(suite));
    ASSERT_OK(new_subject_key(engine(), old, suite, kAlice, wrapped));
    ASSERT_OK(rewrap_subject_key(engine(), ring(), kAlice, wrapped, rewrapped));
    uint32_t version = 0;
    ASSERT_OK(wrapped_key_version(rewrapped, version));
    EXPECT_EQ(version, ring().envelope.newest()->version);
    SubjectKey before, after;
    ASSERT_OK(unwrap_subject_key(engine(), ring(), kAlice, wrapped, before));
    ASSERT_OK(unwrap_subject_key(engine(), ring(), kAlice, rewrapped, after));
    EXPECT_EQ(test::to_hex(before.view()), test::to_hex(after.view()));
    // Nobody else's, and nothing that was altered, is made good by it.
    EXPECT_EQ(rewrap_subject_key(engine(), ring(), kBob, wrapped, rewrapped).code,
              Code::kAuthenticationFailed);
    wrapped.back() ^= 1;
    EXPECT_EQ(rewrap_subject_key(engine(), ring(), kAlice, wrapped, rewrapped).code,
              Code::kAuthenticationFailed);
  }
}

TEST(KeysSubject, NeedsARoot) {
  KeyRing empty = {};
  Buffer wrapped(wrapped_size(crypto::Suite::kAes256Gcm));
  EXPECT_EQ(new_subject_key(engine(), empty, crypto::Suite::kAes256Gcm, kAlice, wrapped).code,
            Code::kKeyMissing);
}

}  // namespace
}  // namespace visage::keys
