// The gallery code: tied to its epoch, its reference, its subject's key, both custodies, and every one of its
// bits.
#include "core/gallery/code.h"

#include "support.h"

namespace visage::gallery {
namespace {

using test::Buffer;
using test::engine;
using test::ring;

const CodeOwner kOf = {test::kAlice, {{7, 7}}, 3};

Epoch epoch_of(const probe::Contents& contents, uint32_t institution = 1, uint32_t number = 1,
               crypto::Suite suite = crypto::Suite::kAes256Gcm) {
  Epoch epoch = {};
  epoch.suite = suite;
  epoch.institution = institution;
  epoch.number = number;
  epoch.dimension = contents.dimension;
  std::memcpy(epoch.model_digest, contents.model_digest, sizeof epoch.model_digest);
  EXPECT_OK(begin_epoch(engine(), ring(), epoch));
  return epoch;
}
EpochMasks masks_of(const Epoch& epoch, const keys::KeyRing& keys = ring()) {
  EpochMasks masks = {};
  EXPECT_OK(derive_masks(engine(), keys, epoch, masks));
  return masks;
}
SignCode code_of(const Epoch& epoch, const probe::Contents& contents) {
  SignCode code = {};
  EXPECT_OK(make_code(epoch, masks_of(epoch), contents, code));
  return code;
}
size_t distance(const SignCode& a, const SignCode& b) {
  return test::differing_bits(a.view(), b.view());
}

class GalleryCode : public testing::TestWithParam<crypto::Suite> {
 protected:
  Buffer seal(const CodeOwner& of) const {
    Buffer sealed(sealed_code_size(GetParam()));
    EXPECT_OK(seal_code(engine(), ring(), alice_.key, GetParam(), epoch_, masks_, of, code_, sealed));
    return sealed;
  }
  Status open(Bytes sealed, const CodeOwner& of = kOf) const {
    return open(sealed, of, alice_.key, epoch_, masks_, ring());
  }
  Status open(Bytes sealed, const CodeOwner& of, const keys::SubjectKey& key, const Epoch& epoch,
              const EpochMasks& masks, const keys::KeyRing& keys) const {
    SignCode opened = {};
    const Status status = open_code(engine(), keys, key, epoch, masks, of, sealed, opened);
    if (status.ok()) {
      EXPECT_EQ(test::to_hex(opened.view()), test::to_hex(code_.view()));
    } else {
      EXPECT_NE(status.code, Code::kInternal);
      EXPECT_EQ(opened.words[0], 0u) << "nothing may be left of what did not open";
    }
    return status;
  }

  std::mt19937_64 random_{70};
  probe::Contents face_ = test::contents_of(test::random_feature(random_, 128));
  Epoch epoch_ = epoch_of(face_, 1, 1, GetParam());
  EpochMasks masks_ = masks_of(epoch_);
  SignCode code_ = code_of(epoch_, face_);
  test::Subject alice_{test::kAlice, GetParam()};
};

TEST_P(GalleryCode, OpensForItsRowAlone) {
  const Buffer sealed = seal(kOf);
  EXPECT_EQ(sealed.size(), sealed_code_size(GetParam()));
  EXPECT_OK(open(sealed));
  for (const CodeOwner& of : {CodeOwner{test::kBob, kOf.reference, kOf.generation},
                              CodeOwner{{2, test::kAlice.subject}, kOf.reference, kOf.generation},
                              CodeOwner{test::kAlice, test::uuid(1), kOf.generation},
                              CodeOwner{test::kAlice, kOf.reference, kOf.generation + 1}})
    EXPECT_EQ(open(sealed, of).code, Code::kAuthenticationFailed);
}

TEST_P(GalleryCode, OpensInItsEpochAlone) {
  const Buffer sealed = seal(kOf);
  const Epoch next = epoch_of(face_, 1, 2, GetParam()), same_number = epoch_of(face_, 1, 1, GetParam());
  for (const Epoch& epoch : {next, same_number})
    EXPECT_EQ(open(sealed, kOf, alice_.key, epoch, masks_of(epoch), ring()).code,
              Code::kAuthenticationFailed);
}

// [8.2.4c] A thief of either custody alone opens none: the transform root is needed for the code, and the
// envelope root for the subject's key.
TEST_P(GalleryCode, NeedsTheTransformRootAndTheSubjectKey) {
  const Buffer sealed = seal(kOf);
  keys::KeyRing other = ring();
  other.transform = test::with_changed_root(ring().transform, 5, 0);
  EXPECT_EQ(open(sealed, kOf, alice_.key, epoch_, masks_, other).code, Code::kAuthenticationFailed);
  EXPECT_EQ(open(sealed, kOf, alice_.key, epoch_, masks_of(epoch_, other), ring()).code,
            Code::kAuthenticationFailed)
      << "masks of another root";
  other.transform.count = 0;
  EXPECT_EQ(open(sealed, kOf, alice_.key, epoch_, masks_, other).code, Code::kKeyMissing);
  EpochMasks masks;
  EXPECT_EQ(derive_masks(engine(), other, epoch_, masks).code, Code::kKeyMissing);
  // Who was cancelled and came again under the same name has another key.
  const test::Subject again(test::kAlice, GetParam());
  EXPECT_EQ(open(sealed, kOf, again.key, epoch_, masks_, ring()).code, Code::kAuthenticationFailed);
}

// [8.2.4d] The subject's key under a new envelope root is the same key: no code is sealed again.
TEST_P(GalleryCode, OutlivesTheEnvelopeRoot) {
  keys::KeyRing before = ring(), after = ring();
  before.envelope.count = 1;
  after.envelope.roots[0] = after.envelope.roots[1];
  after.envelope.count = 1;
  const test::Subject bob(test::kBob, GetParam(), before);
  const CodeOwner of = {test::kBob, kOf.reference, 1};
  Buffer sealed(sealed_code_size(GetParam())), rewrapped(bob.wrapped.size());
  ASSERT_OK(seal_code(engine(), before, bob.key, GetParam(), epoch_, masks_, of, code_, sealed));
  ASSERT_OK(keys::rewrap_subject_key(engine(), ring(), test::kBob, bob.wrapped, rewrapped));
  keys::SubjectKey key;
  ASSERT_OK(keys::unwrap_subject_key(engine(), after, test::kBob, rewrapped, key));
  EXPECT_OK(open(sealed, of, key, epoch_, masks_, after));
}

TEST_P(GalleryCode, EveryFlippedBitFailsToOpen) {
  Buffer sealed = seal(kOf);
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    sealed[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    ASSERT_FALSE(open(sealed).ok()) << "bit " << bit;
    sealed[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  }
}

TEST_P(GalleryCode, EveryOtherLengthIsRefused) {
  Buffer sealed = seal(kOf);
  for (size_t length = 0; length < sealed.size(); ++length)
    EXPECT_EQ(open({sealed.data(), length}).code, Code::kMalformed) << length;
  sealed.push_back(0);
  EXPECT_EQ(open(sealed).code, Code::kMalformed);
}

TEST_P(GalleryCode, NoTwoSealingsAreAlike) {
  EXPECT_NE(test::to_hex(seal(kOf)), test::to_hex(seal(kOf)));
}

INSTANTIATE_TEST_SUITE_P(Suites, GalleryCode, testing::ValuesIn(test::kSuites),
                         [](const testing::TestParamInfo<crypto::Suite>& info) {
                           return info.param == crypto::Suite::kAes256Gcm ? "Aes" : "Sm4";
                         });

// Within an epoch distances estimate angles; across epochs, institutions and databases they say nothing.
TEST(GalleryCodes, AreComparableWithinTheirEpochAlone) {
  std::mt19937_64 random(71);
  for (size_t dimension : {64u, 128u, 512u, 2048u}) {
    const auto feature = test::random_feature(random, dimension);
    const probe::Contents face = test::contents_of(feature);
    const probe::Contents alike = test::contents_of(test::feature_at(random, feature, 0.5));
    const Epoch epoch = epoch_of(face);
    EXPECT_EQ(distance(code_of(epoch, face), code_of(epoch, face)), 0u);
    // 60° of 180°, within six deviations.
    EXPECT_NEAR(static_cast<double>(distance(code_of(epoch, face), code_of(epoch, alike))), 1024 / 3.0,
                6 * 15.1);
    Epoch other_number = epoch, other_institution = epoch, other_database = epoch, other_suite = epoch;
    other_number.number = 2;
    other_institution.institution = 2;
    other_database.salt[0] ^= 1;
    other_suite.suite = crypto::Suite::kSm4CtrHmacSm3;
    for (const Epoch& other : {other_number, other_institution, other_database, other_suite})
      EXPECT_NEAR(static_cast<double>(distance(code_of(epoch, face), code_of(other, face))), 512, 6 * 16);
  }
}

// [8.2.4] The code in a gallery and the reference of the same capture are under rotations of their own.
TEST(GalleryCodes, TellNothingOfTheReference) {
  std::mt19937_64 random(72);
  const probe::Contents face = test::contents_of(test::random_feature(random, 512));
  const test::Subject alice(test::kAlice);
  Secret<reference::Opened> opened;
  ASSERT_OK(alice.open(alice.enrol(face), opened.value));
  EXPECT_NEAR(static_cast<double>(test::differing_bits({opened.value.code, kCodeBits / 8},
                                                       code_of(epoch_of(face), face).view())),
              512, 6 * 16);
}

TEST(GalleryCodes, AreOfOneModel) {
  std::mt19937_64 random(73);
  const auto feature = test::random_feature(random, 128);
  const Epoch epoch = epoch_of(test::contents_of(feature));
  SignCode code;
  for (const probe::Contents& other :
       {test::contents_of(feature, "test/2"), test::contents_of(test::random_feature(random, 64))}) {
    EXPECT_FALSE(encodes(epoch, other));
    EXPECT_EQ(make_code(epoch, masks_of(epoch), other, code).code, Code::kInvalidArgument);
  }
}

// Each epoch has a salt of its own, and the newest root.
TEST(GalleryCodes, EpochsBeginAnew) {
  std::mt19937_64 random(74);
  const probe::Contents face = test::contents_of(test::random_feature(random, 128));
  const Epoch one = epoch_of(face), other = epoch_of(face);
  EXPECT_EQ(one.transform_version, 5u);
  EXPECT_NE(test::to_hex(one.salt), test::to_hex(other.salt));
}

}  // namespace
}  // namespace visage::gallery
