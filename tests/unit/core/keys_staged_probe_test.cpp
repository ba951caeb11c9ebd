// The staged probe: tied to its batch, its row, a transform root, and every one of its bits.
#include "core/keys/staged_probe.h"

#include "support.h"

namespace visage::keys {
namespace {

using test::Buffer;
using test::engine;
using test::ring;

const Buffer kProbe(500, 0x5A);
const Buffer kBatch(kBatchNonceSize, 7), kOtherBatch(kBatchNonceSize, 8);
const Uuid kProbeId = {{1, 2, 3}}, kOtherProbe = {{1, 2, 4}};
const Staging kStaging = {1, kProbeId, kBatch};

Buffer stage(crypto::Suite suite) {
  Buffer staged(staged_size(suite, kProbe.size()));
  EXPECT_OK(stage_probe(engine(), ring(), suite, kStaging, kProbe, staged));
  return staged;
}
Status unstage(const Staging& staging, Bytes staged, const KeyRing& keys = ring()) {
  Buffer probe(kProbe.size());
  const Status status = unstage_probe(engine(), keys, staging, staged, probe);
  if (status.ok()) {
    EXPECT_EQ(test::to_hex(probe), test::to_hex(kProbe));
  }
  return status;
}

TEST(KeysStagedProbe, OpensForItsBatchAndRowAlone) {
  for (crypto::Suite suite : test::kSuites) {
    const Buffer staged = stage(suite);
    size_t size = 0;
    ASSERT_OK(staged_probe_size(staged, size));
    EXPECT_EQ(size, kProbe.size());
    EXPECT_OK(unstage(kStaging, staged));
    EXPECT_FALSE(unstage({2, kProbeId, kBatch}, staged).ok());
    EXPECT_FALSE(unstage({1, kOtherProbe, kBatch}, staged).ok());
    EXPECT_FALSE(unstage({1, kProbeId, kOtherBatch}, staged).ok());
  }
}

// [8.2.4c] Who has the envelope root and not the transform root, as a thief of one custody, opens none.
TEST(KeysStagedProbe, NeedsTheTransformRoot) {
  const Buffer staged = stage(crypto::Suite::kAes256Gcm);
  KeyRing keys = ring();
  keys.transform.count = 0;
  EXPECT_EQ(unstage(kStaging, staged, keys).code, Code::kKeyMissing);
  keys.transform = keys.envelope;
  EXPECT_FALSE(unstage(kStaging, staged, keys).ok());
}

TEST(KeysStagedProbe, EveryFlippedBitFailsToOpen) {
  for (crypto::Suite suite : test::kSuites) {
    Buffer staged = stage(suite);
    for (size_t bit = 0; bit < staged.size() * 8; ++bit) {
      staged[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      const Status status = unstage(kStaging, staged);
      ASSERT_FALSE(status.ok()) << crypto::suite_name(suite) << ", bit " << bit;
      ASSERT_NE(status.code, Code::kInternal) << bit;
      staged[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    }
  }
}

TEST(KeysStagedProbe, EveryCutIsRefused) {
  const Buffer staged = stage(crypto::Suite::kAes256Gcm);
  size_t size = 0;
  for (size_t length = 0; length <= staged_size(crypto::Suite::kAes256Gcm, 0); ++length)
    EXPECT_FALSE(staged_probe_size({staged.data(), length}, size).ok()) << length;
}

}  // namespace
}  // namespace visage::keys
