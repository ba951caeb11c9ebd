// Who is compared with what: models, several references, faults.
#include "support.h"

namespace visage::match {
namespace {

using test::Buffer;
using test::engine;
using test::kAlice;
using test::ring;
using test::Subject;

Status best(const Subject& subject, const std::vector<Buffer>& references, const probe::Contents& contents,
            Best& out) {
  std::vector<reference::Stored> rows;
  for (const Buffer& envelope : references) rows.push_back(test::stored(envelope));
  return best_of(engine(), ring(), subject.owner, subject.wrapped, rows, contents, out);
}

TEST(MatchCompare, OtherModelsAndLengthsAreNotComparable) {
  std::mt19937_64 random(70);
  const Subject alice(kAlice);
  const auto face = test::random_feature(random, 128);
  const Buffer envelope = alice.enrol(test::contents_of(face, "model/1"));
  Comparison comparison = {};
  ASSERT_OK(alice.compare(envelope, test::contents_of(face, "model/1"), comparison));
  EXPECT_TRUE(comparison.comparable);
  for (const char* model : {"model/2", "model/", "model/11", "MODEL/1"}) {
    ASSERT_OK(alice.compare(envelope, test::contents_of(face, model), comparison));
    EXPECT_FALSE(comparison.comparable) << model;
    EXPECT_EQ(comparison.score, -1) << "never above a threshold, even if a caller forgets to ask";
  }
  // 127 and 128 values have one block width: only the stored length tells them apart.
  ASSERT_OK(
      alice.compare(envelope, test::contents_of(test::random_feature(random, 127), "model/1"), comparison));
  EXPECT_FALSE(comparison.comparable);
}

// [6.2f] [5.3.2] several references: the best one counts, wherever it stands.
TEST(MatchBestOf, PicksTheBestOfSeveral) {
  std::mt19937_64 random(71);
  const Subject alice(kAlice);
  const auto face = test::random_feature(random, 512);
  const auto contents = test::contents_of(face);
  for (size_t position = 0; position < 4; ++position) {
    std::vector<Buffer> references;
    for (size_t i = 0; i < 4; ++i)
      references.push_back(
          alice.enrol(test::contents_of(test::feature_at(random, face, i == position ? 0.9 : 0.2))));
    Best out;
    ASSERT_OK(best(alice, references, contents, out));
    EXPECT_EQ(out.compared, 4u);
    EXPECT_EQ(out.index, position);
    EXPECT_EQ(out.score, alice.score(references[position], contents));
  }
}

TEST(MatchBestOf, PicksTheBestOfNegativeScores) {
  std::mt19937_64 random(72);
  const Subject alice(kAlice);
  const auto face = test::random_feature(random, 512);
  std::vector<Buffer> references;
  for (double cosine : {-0.9, -0.3, -0.8})
    references.push_back(alice.enrol(test::contents_of(test::feature_at(random, face, cosine))));
  Best out;
  ASSERT_OK(best(alice, references, test::contents_of(face), out));
  EXPECT_EQ(out.index, 1u);
  EXPECT_NEAR(out.score, -0.3, 0.2);
}

// The estimate may fall below −1; it is still the score of what was compared.
TEST(MatchBestOf, ReportsAScoreBelowMinusOne) {
  std::mt19937_64 random(172);
  const Subject alice(kAlice);
  const auto face = test::random_feature(random, 512);
  const auto opposite = test::contents_of(test::feature_at(random, face, -1));
  Buffer envelope;
  do envelope = alice.enrol(test::contents_of(face));  // every second one, by chance of its seed
  while (alice.score(envelope, opposite) >= -1);
  Best out;
  ASSERT_OK(best(alice, {envelope}, opposite, out));
  EXPECT_EQ(out.compared, 1u);
  EXPECT_EQ(out.score, alice.score(envelope, opposite));
}

TEST(MatchBestOf, SkipsReferencesOfOtherModels) {
  std::mt19937_64 random(73);
  const Subject alice(kAlice);
  const auto face = test::random_feature(random, 512);
  const std::vector<Buffer> references = {
      alice.enrol(test::contents_of(face, "old/1")),
      alice.enrol(test::contents_of(test::feature_at(random, face, 0.5)))};
  Best out;
  ASSERT_OK(best(alice, references, test::contents_of(face), out));
  EXPECT_EQ(out.compared, 1u);
  EXPECT_EQ(out.index, 1u);
  ASSERT_OK(best(alice, {references[0]}, test::contents_of(face), out));
  EXPECT_EQ(out.compared, 0u);
  EXPECT_EQ(out.score, -1);
  ASSERT_OK(best(alice, {}, test::contents_of(face), out));
  EXPECT_EQ(out.compared, 0u);
}

// [6.3d] [8.2.4e] no verdict past a fault: not even when another reference matches.
TEST(MatchBestOf, FailsWholeWhenAnyReferenceDoesNotOpen) {
  std::mt19937_64 random(74);
  const Subject alice(kAlice), bob(test::kBob);
  const auto contents = test::contents_of(test::random_feature(random, 512));
  const Buffer good = alice.enrol(contents), stolen = bob.enrol(contents);
  Buffer altered = good, cut = good;
  altered[200] ^= 1;
  cut.pop_back();
  Best out;
  for (size_t position = 0; position < 3; ++position) {
    std::vector<Buffer> references(3, good);
    references[position] = altered;
    EXPECT_EQ(best(alice, references, contents, out).code, Code::kAuthenticationFailed) << position;
    references[position] = stolen;
    EXPECT_EQ(best(alice, references, contents, out).code, Code::kAuthenticationFailed) << position;
    references[position] = cut;
    EXPECT_EQ(best(alice, references, contents, out).code, Code::kMalformed) << position;
  }
  EXPECT_OK(best(alice, {good, good, good}, contents, out));
}

TEST(MatchBestOf, NeedsTheSubjectsWrappedKey) {
  std::mt19937_64 random(75);
  const Subject alice(kAlice), bob(test::kBob);
  const auto contents = test::contents_of(test::random_feature(random, 512));
  const Buffer envelope = alice.enrol(contents);
  const reference::Stored references[] = {test::stored(envelope)};
  Best out;
  EXPECT_EQ(best_of(engine(), ring(), kAlice, bob.wrapped, references, contents, out).code,
            Code::kAuthenticationFailed);
  EXPECT_EQ(best_of(engine(), ring(), test::kBob, alice.wrapped, references, contents, out).code,
            Code::kAuthenticationFailed);
  EXPECT_EQ(best_of(engine(), ring(), kAlice, {}, references, contents, out).code, Code::kMalformed);
}

// References made under older roots keep matching after new roots arrive.
TEST(MatchBestOf, MixesRootVersions) {
  std::mt19937_64 random(76);
  keys::KeyRing older = ring();
  older.envelope.count = older.transform.count = 1;
  Subject alice(kAlice, crypto::Suite::kAes256Gcm, older);
  const auto face = test::random_feature(random, 512);
  const Buffer old_reference = alice.enrol(test::contents_of(face));
  alice.keys = &ring();
  const Buffer new_reference = alice.enrol(test::contents_of(test::feature_at(random, face, 0.3)));
  Best out;
  ASSERT_OK(best(alice, {new_reference, old_reference}, test::contents_of(face), out));
  EXPECT_EQ(out.compared, 2u);
  EXPECT_EQ(out.index, 1u);
}

// A subject may have references of both suites.
TEST(MatchBestOf, MixesSuites) {
  std::mt19937_64 random(77);
  Subject alice(kAlice, crypto::Suite::kAes256Gcm);
  const auto contents = test::contents_of(test::random_feature(random, 512));
  const Buffer a = alice.enrol(contents);
  alice.suite = crypto::Suite::kSm4CtrHmacSm3;
  const Buffer b = alice.enrol(contents);
  Best out;
  ASSERT_OK(best(alice, {a, b}, contents, out));
  EXPECT_EQ(out.compared, 2u);
}

// [6.6f] a person against the photo of a document.
TEST(MatchProbes, CosineOfTwoProbes) {
  std::mt19937_64 random(78);
  for (size_t dimension : {64u, 512u, 2048u})
    for (double cosine : {-1.0, -0.4, 0.0, 0.7, 1.0}) {
      const auto face = test::random_feature(random, dimension);
      const auto a = test::contents_of(face), b = test::contents_of(test::feature_at(random, face, cosine));
      const Comparison ab = compare_probes(a, b), ba = compare_probes(b, a);
      EXPECT_TRUE(ab.comparable);
      EXPECT_NEAR(ab.score, cosine, 1e-6);
      EXPECT_EQ(ab.score, ba.score);
    }
}

TEST(MatchProbes, OtherModelsAndLengthsAreNotComparable) {
  std::mt19937_64 random(79);
  const auto face = test::random_feature(random, 128);
  EXPECT_FALSE(compare_probes(test::contents_of(face, "a"), test::contents_of(face, "b")).comparable);
  EXPECT_FALSE(compare_probes(test::contents_of(face, "a"), test::contents_of(face, "aa")).comparable);
  EXPECT_FALSE(compare_probes(test::contents_of(face), test::contents_of(test::random_feature(random, 127)))
                   .comparable);
}

}  // namespace
}  // namespace visage::match
