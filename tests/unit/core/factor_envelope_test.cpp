// Sealed factors: open in their own row under their own keys only; prepared passwords.
#include "core/factor/factor.h"

#include "support.h"

namespace visage::factor {
namespace {

using crypto::Suite;
using test::Buffer;

const Uuid kFactor = test::uuid(0xF1);

Buffer sealed(Suite suite, const test::Subject& subject, const Place& place, std::string_view contents) {
  Buffer out(sealed_size(suite, contents.size()));
  uint32_t version = 0;
  EXPECT_OK(seal(test::engine(), test::ring(), suite, subject.key, place, as_bytes(contents), out, version));
  EXPECT_EQ(3U, version);
  return out;
}

Status opened(const test::Subject& subject, const Place& place, Bytes envelope, std::string& out,
              const keys::KeyRing& ring = test::ring()) {
  uint8_t contents[kMaxContents];
  size_t size = 0;
  const Status status = open(test::engine(), ring, subject.key, place, envelope, contents, size);
  if (status.ok()) out.assign(reinterpret_cast<const char*>(contents), size);
  return status;
}

class FactorEnvelope : public ::testing::TestWithParam<Suite> {};
INSTANTIATE_TEST_SUITE_P(Suites, FactorEnvelope, ::testing::ValuesIn(test::kSuites));

TEST_P(FactorEnvelope, OpensInItsOwnRowOnly) {
  const test::Subject alice(test::kAlice, GetParam());
  const test::Subject bob(test::kBob, GetParam());
  const Place place = {Kind::kTotp, test::kAlice, kFactor};
  const Buffer envelope = sealed(GetParam(), alice, place, "the marker secret");
  std::string text;
  ASSERT_OK(opened(alice, place, envelope, text));
  EXPECT_EQ("the marker secret", text);
  EXPECT_EQ(std::string::npos, std::string(envelope.begin(), envelope.end()).find("marker"));

  Place other = place;
  other.kind = Kind::kPassword;
  EXPECT_EQ(Code::kAuthenticationFailed, opened(alice, other, envelope, text).code);
  other = place;
  other.factor = test::uuid(0xF2);
  EXPECT_EQ(Code::kAuthenticationFailed, opened(alice, other, envelope, text).code);
  other = place;
  other.owner = test::kBob;
  EXPECT_EQ(Code::kAuthenticationFailed, opened(alice, other, envelope, text).code);
  other = place;
  other.owner.institution = 2;
  EXPECT_EQ(Code::kAuthenticationFailed, opened(alice, other, envelope, text).code);
  // Destroying the subject's key destroys the factor: another key does not open it.
  EXPECT_EQ(Code::kAuthenticationFailed, opened(bob, place, envelope, text).code);
  keys::KeyRing changed = test::ring();
  changed.envelope = test::with_changed_root(changed.envelope, 3, 0);
  EXPECT_EQ(Code::kAuthenticationFailed, opened(alice, place, envelope, text, changed).code);
  changed.envelope.count = 1;
  EXPECT_EQ(Code::kKeyMissing, opened(alice, place, envelope, text, changed).code);
}

TEST_P(FactorEnvelope, IsSealedAnewUnderTheNewestRoot) {
  const test::Subject alice(test::kAlice, GetParam());
  const Place place = {Kind::kPassword, test::kAlice, kFactor};
  keys::KeyRing old = test::ring();
  old.envelope.count = 1;
  Buffer envelope(sealed_size(GetParam(), 6));
  uint32_t version = 0;
  ASSERT_OK(seal(test::engine(), old, GetParam(), alice.key, place, as_bytes("secret"), envelope, version));
  EXPECT_EQ(1U, version);
  Buffer again(envelope.size());
  ASSERT_OK(reseal(test::engine(), test::ring(), alice.key, place, envelope, again));
  keys::KeyRing newer = test::ring();
  newer.envelope.roots[0] = newer.envelope.roots[1];
  newer.envelope.count = 1;
  std::string text;
  EXPECT_OK(opened(alice, place, again, text, newer));
  EXPECT_EQ("secret", text);
  EXPECT_EQ(Code::kKeyMissing, opened(alice, place, envelope, text, newer).code);
}

TEST_P(FactorEnvelope, EveryBitAndLengthCounts) {
  const test::Subject alice(test::kAlice, GetParam());
  const Place place = {Kind::kPassword, test::kAlice, kFactor};
  const Buffer envelope = sealed(GetParam(), alice, place, "x");
  std::string text;
  for (size_t bit = 0; bit < envelope.size() * 8; ++bit) {
    Buffer altered = envelope;
    altered[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_FALSE(opened(alice, place, altered, text).ok()) << bit;
  }
  for (size_t size = 0; size < envelope.size(); ++size)
    EXPECT_FALSE(opened(alice, place, {envelope.data(), size}, text).ok()) << size;
  Buffer longer = envelope;
  longer.push_back(0);
  EXPECT_EQ(Code::kMalformed, opened(alice, place, longer, text).code);
}

TEST(FactorEnvelopeSize, IsBounded) {
  const test::Subject alice(test::kAlice);
  const Place place = {Kind::kPassword, test::kAlice, kFactor};
  uint32_t version = 0;
  for (const size_t size : {size_t{0}, kMaxContents + 1}) {
    const Buffer contents(size, 'x');
    Buffer out(sealed_size(Suite::kAes256Gcm, size));
    EXPECT_FALSE(
        seal(test::engine(), test::ring(), Suite::kAes256Gcm, alice.key, place, contents, out, version).ok());
  }
}

TEST(FactorPassword, PreparedFormIsOfSubjectFactorAndEveryByte) {
  const test::Subject alice(test::kAlice);
  const test::Subject bob(test::kBob);
  const auto prepared = [](const test::Subject& subject, const Uuid& factor, std::string_view password) {
    char out[kPreparedPasswordSize];
    EXPECT_OK(prepare_password(test::engine(), subject.key, factor, password, out));
    return std::string(out, sizeof out);
  };
  const std::string long_one(100, 'p');
  EXPECT_EQ(prepared(alice, kFactor, "secret"), prepared(alice, kFactor, "secret"));
  EXPECT_NE(prepared(alice, kFactor, "secret"), prepared(bob, kFactor, "secret"));
  EXPECT_NE(prepared(alice, kFactor, "secret"), prepared(alice, test::uuid(0xF2), "secret"));
  EXPECT_NE(prepared(alice, kFactor, "secret"), prepared(alice, kFactor, "Secret"));
  // bcrypt itself would read 72 bytes.
  EXPECT_NE(prepared(alice, kFactor, long_one + "a"), prepared(alice, kFactor, long_one + "b"));
}

TEST(FactorKinds, HaveLabels) {
  for (int number = 1; number <= kKinds; ++number) {
    Kind kind;
    ASSERT_TRUE(find_kind(label(static_cast<Kind>(number)), kind));
    EXPECT_EQ(number, static_cast<int>(kind));
  }
  Kind kind;
  EXPECT_FALSE(find_kind("", kind));
  EXPECT_FALSE(find_kind("Password", kind));
  EXPECT_STREQ("", label(static_cast<Kind>(0)));
  EXPECT_STREQ("", label(static_cast<Kind>(kKinds + 1)));
}

}  // namespace
}  // namespace visage::factor
