// The ledger's signing key and keyed hashes. Their frozen values are in tests/vectors/ledger_key-1.txt.
#include "core/keys/ledger_key.h"

#include <set>

#include "core/keys/subject_key.h"
#include "support.h"

namespace visage::keys {
namespace {

using test::Buffer;
using test::engine;
using test::ring;
using test::to_hex;

std::string hash_of(const KeyRing& ring, HashedKind kind, uint32_t institution, std::string_view value) {
  uint8_t out[kKeyedHashSize];
  EXPECT_OK(keyed_hash(engine(), ring, kind, institution, as_bytes(value), out));
  return to_hex(out);
}

std::string seed_of(const KeyRing& ring, uint32_t version) {
  crypto::SigningKey key;
  EXPECT_OK(derive_ledger_key(engine(), ring, version, key));
  return to_hex(key.seed);
}

TEST(KeysLedger, EachEnvelopeRootHasAKeyOfItsOwn) {
  const std::string first = seed_of(ring(), 1);
  EXPECT_EQ(seed_of(ring(), 1), first);
  EXPECT_NE(seed_of(ring(), 3), first);
  KeyRing changed = ring();
  changed.envelope = test::with_changed_root(ring().envelope, 1, 31);
  EXPECT_NE(seed_of(changed, 1), first);
  EXPECT_EQ(seed_of(changed, 3), seed_of(ring(), 3));
}

TEST(KeysLedger, NeedsItsRoot) {
  crypto::SigningKey key;
  // Version 2 is a transform root's.
  EXPECT_EQ(derive_ledger_key(engine(), ring(), 2, key).code, Code::kKeyMissing);
  EXPECT_EQ(derive_ledger_key(engine(), KeyRing{}, 1, key).code, Code::kKeyMissing);
}

TEST(KeysLedger, SharesNoKeyWithAnotherPurpose) {
  const Root& root = ring().envelope.roots[0];
  std::set<std::string> keys = {seed_of(ring(), 1), to_hex(root.view()), to_hex(root.hash_key)};
  for (crypto::Suite suite : test::kSuites) keys.insert(to_hex(root.wrap_key(suite).first(32)));
  EXPECT_EQ(keys.size(), 5u);
}

TEST(KeysKeyedHash, NamesKindInstitutionAndValue) {
  std::set<std::string> seen;
  size_t made = 0;
  for (HashedKind kind :
       {HashedKind::kSubject, HashedKind::kSource, HashedKind::kAddress, HashedKind::kDevice,
        HashedKind::kFactor, HashedKind::kUsedCode, HashedKind::kRequest})
    for (uint32_t institution : {1u, 2u, 256u, 0xFFFFFFFFu})
      for (std::string_view value : {"", "a", "b", "ab", "\x01"}) {
        seen.insert(hash_of(ring(), kind, institution, value));
        ++made;
      }
  EXPECT_EQ(seen.size(), made);
  EXPECT_EQ(hash_of(ring(), HashedKind::kDevice, 7, "x"), hash_of(ring(), HashedKind::kDevice, 7, "x"));
}

// Names stay the same when roots are added, and go with the root that made them.
TEST(KeysKeyedHash, IsOfTheOldestEnvelopeRoot) {
  const std::string name = hash_of(ring(), HashedKind::kAddress, 1, "192.0.2.1");
  KeyRing grown = ring();
  Buffer key(kMinRootSize);
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<uint8_t>(i);
  ASSERT_OK(add_root(engine(), grown.envelope, 9, key));
  grown.transform = {};
  EXPECT_EQ(hash_of(grown, HashedKind::kAddress, 1, "192.0.2.1"), name);
  KeyRing newer = ring();
  newer.envelope = test::with_changed_root(ring().envelope, 3, 0);
  EXPECT_EQ(hash_of(newer, HashedKind::kAddress, 1, "192.0.2.1"), name);
  KeyRing other = ring();
  other.envelope = test::with_changed_root(ring().envelope, 1, 0);
  EXPECT_NE(hash_of(other, HashedKind::kAddress, 1, "192.0.2.1"), name);
}

// A list says which root it was made with. [8.2.5g]
TEST(KeysKeyedHash, CanBeOfAnyLoadedRoot) {
  uint8_t oldest[kKeyedHashSize], newest[kKeyedHashSize], plain[kKeyedHashSize];
  const Bytes value = as_bytes("somebody");
  ASSERT_OK(keyed_hash(engine(), ring(), HashedKind::kErased, 1, value, plain));
  ASSERT_OK(keyed_hash_under(engine(), ring(), 1, HashedKind::kErased, 1, value, oldest));
  ASSERT_OK(keyed_hash_under(engine(), ring(), ring().envelope.newest()->version, HashedKind::kErased, 1,
                             value, newest));
  EXPECT_EQ(std::memcmp(plain, oldest, sizeof plain), 0);
  EXPECT_NE(std::memcmp(oldest, newest, sizeof oldest), 0);
  const Status status = keyed_hash_under(engine(), ring(), 77, HashedKind::kErased, 1, value, newest);
  EXPECT_EQ(status.code, Code::kKeyMissing);
  EXPECT_STREQ(status.message, "envelope key version 77 is not loaded");
}

TEST(KeysKeyedHash, NeedsARoot) {
  KeyRing none = ring();
  none.envelope = {};
  uint8_t out[kKeyedHashSize];
  EXPECT_EQ(keyed_hash(engine(), none, HashedKind::kSubject, 1, {}, out).code, Code::kKeyMissing);
}

}  // namespace
}  // namespace visage::keys
