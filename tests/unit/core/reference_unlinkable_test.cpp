// Renewable and unlinkable (ISO/IEC 24745): what two references of one face have in common.
#include <set>

#include "support.h"

namespace visage::reference {
namespace {

using test::Buffer;
using test::kAlice;
using test::kBob;
using test::Subject;

struct Code1024 {
  Opened opened;
  Bytes code() const { return {opened.code, 128}; }
};

Code1024 opened_code(const Subject& subject, const probe::Contents& contents) {
  Code1024 made;
  EXPECT_OK(subject.open(subject.enrol(contents), made.opened));
  return made;
}

double cross_score(const Code1024& code, const Code1024& masks, const probe::Contents& contents) {
  std::vector<float> rotated(1024);
  rotate(contents.feature, contents.dimension, 1024, masks.opened.masks, rotated.data());
  return asymmetric_score(code.opened.code, rotated.data(), 1024);
}

TEST(ReferenceUnlinkable, SealedBytesShareNoPattern) {
  std::mt19937_64 random(50);
  const Subject alice(kAlice), bob(kBob);
  const probe::Contents contents = test::contents_of(test::random_feature(random, 512));
  const Buffer a = alice.enrol(contents), b = alice.enrol(contents), c = bob.enrol(contents);
  // Salt, nonce, ciphertext and tag, all of which must be fresh.
  std::set<std::string> seen;
  for (const Buffer* envelope : {&a, &b, &c}) {
    std::set<std::string> own;
    for (size_t offset = 72; offset + 6 <= envelope->size(); ++offset) {
      if (offset + 6 > 116 && offset < 120) continue;  // reserved zeros
      own.insert(test::to_hex(Bytes(*envelope).subspan(offset, 6)));
    }
    for (const std::string& pattern : own) EXPECT_TRUE(seen.insert(pattern).second) << pattern;
  }
}

// Mated codes under different seeds agree in half of their bits, and no more often than those of strangers:
// an attacker who opens both codes, but has no transform root, cannot link them.
TEST(ReferenceUnlinkable, OpenedCodesOfOneFaceAreAsFarApartAsThoseOfStrangers) {
  std::mt19937_64 random(51);
  const Subject alice(kAlice), bob(kBob);
  test::Moments mated, non_mated;
  for (int round = 0; round < 400; ++round) {
    const auto face = test::contents_of(test::random_feature(random, round % 2 ? 128 : 512));
    const auto stranger = test::contents_of(test::random_feature(random, face.dimension));
    const Code1024 own = opened_code(alice, face);
    mated.add(static_cast<double>(test::differing_bits(own.code(), opened_code(alice, face).code())));
    mated.add(static_cast<double>(test::differing_bits(own.code(), opened_code(bob, face).code())));
    non_mated.add(static_cast<double>(test::differing_bits(own.code(), opened_code(bob, stranger).code())));
  }
  // Binomial(1024, ½): mean 512, deviation 16.
  EXPECT_NEAR(mated.mean(), 512, 5 * 16 / std::sqrt(800.0));
  EXPECT_NEAR(non_mated.mean(), 512, 5 * 16 / std::sqrt(400.0));
  EXPECT_NEAR(mated.deviation(), 16, 2);
  EXPECT_NEAR(non_mated.deviation(), 16, 2.5);
}

// Renewal under a new salt and generation: the old code says nothing under the new seed. [5.3.3]
TEST(ReferenceUnlinkable, RenewalInvalidatesTheOldCode) {
  std::mt19937_64 random(52);
  const Subject alice(kAlice);
  test::Moments renewed, stranger;
  for (int round = 0; round < 300; ++round) {
    const auto face = test::contents_of(test::random_feature(random, 512));
    const auto other = test::contents_of(test::random_feature(random, 512));
    const Code1024 old_one = opened_code(alice, face), new_one = opened_code(alice, face);
    EXPECT_GT(cross_score(new_one, new_one, face), 0.7);
    const double old_under_new = cross_score(old_one, new_one, face);
    EXPECT_LT(std::abs(old_under_new), 0.2) << "6 deviations";
    renewed.add(old_under_new);
    stranger.add(cross_score(new_one, new_one, other));
  }
  EXPECT_NEAR(renewed.mean(), 0, 5 * renewed.error_of_mean());
  EXPECT_LT(renewed.deviation(), 1.2 / std::sqrt(1024.0));
  EXPECT_NEAR(stranger.mean(), 0, 5 * stranger.error_of_mean());
}

TEST(ReferenceUnlinkable, MasksAreBalanced) {
  std::mt19937_64 random(54);
  for (crypto::Suite suite : test::kSuites) {
    const Subject alice(kAlice, suite);
    test::Moments ones;
    for (int round = 0; round < 100; ++round) {
      Opened opened;
      ASSERT_OK(alice.open(alice.enrol(test::contents_of(test::random_feature(random, 64))), opened));
      ones.add(static_cast<double>(test::differing_bits({opened.masks, 512}, Buffer(512, 0))));
    }
    EXPECT_NEAR(ones.mean(), 2048, 5 * 32 / std::sqrt(100.0));
    EXPECT_NEAR(ones.deviation(), 32, 10);
  }
}

}  // namespace
}  // namespace visage::reference
