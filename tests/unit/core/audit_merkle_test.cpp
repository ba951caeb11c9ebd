// The ledger's tree: published vectors, then the definition of RFC 9162, 2.1.1, against the compact range,
// the proofs and their verification.
#include "core/audit/merkle.h"

#include <bit>
#include <map>

#include "support.h"

namespace visage::audit {
namespace {

using crypto::Suite;
using test::Buffer;
using test::engine;
using test::from_hex;
using test::to_hex;

constexpr uint64_t kSizes = 130;

std::span<const Hash> view(const Proof& proof) {
  return {proof.hashes, proof.count};
}

// A tree that keeps what append() hands out, as the ledger does.
struct Tree {
  explicit Tree(Suite suite = Suite::kAes256Gcm) : hasher(engine(), suite) {}

  void add(Bytes leaf) {
    Hash hash;
    ASSERT_OK(hasher.leaf(leaf, hash));
    kept[{0, range.size}] = hash;
    completed = 0;
    ASSERT_OK(append(hasher, range, hash, keep, this));
    EXPECT_EQ(completed, std::countr_zero(range.size)) << "one subtree of each level that ends here";
    Hash made;
    ASSERT_OK(audit::root(hasher, range, made));
    roots.push_back(made);
  }
  // Leaves that differ, so that no two places have the same hash.
  void grow(uint64_t size) {
    while (range.size < size) {
      const uint64_t number = range.size;
      add({reinterpret_cast<const uint8_t*>(&number), sizeof number});
    }
  }
  const Hash& leaf(uint64_t index) const { return kept.at({0, index}); }
  const Hash& root(uint64_t size) const { return roots.at(size - 1); }

  // RFC 9162, 2.1.1, as it is written there.
  Hash naive(uint64_t begin, uint64_t end) const {
    if (end - begin == 1) return leaf(begin);
    const uint64_t middle = begin + std::bit_floor(end - begin - 1);
    Hash out;
    EXPECT_OK(hasher.node(naive(begin, middle), naive(middle, end), out));
    return out;
  }

  static void keep(void* context, int level, uint64_t index, const Hash& hash) {
    Tree& tree = *static_cast<Tree*>(context);
    EXPECT_EQ(level, ++tree.completed);
    EXPECT_TRUE(tree.kept.insert({{level, index}, hash}).second);
  }
  static Status find(void* context, int level, uint64_t index, Hash& out) {
    const Tree& tree = *static_cast<Tree*>(context);
    const auto found = tree.kept.find({level, index});
    if (found == tree.kept.end()) return Status::error(Code::kInternal, "no subtree %d", level);
    out = found->second;
    return {};
  }

  TreeHasher hasher;
  CompactRange range = {};
  std::map<std::pair<int, uint64_t>, Hash> kept;
  std::vector<Hash> roots;
  int completed = 0;
};

Tree grown(Suite suite, uint64_t size) {
  Tree tree(suite);
  tree.grow(size);
  return tree;
}

// The vectors of the Certificate Transparency project's reference implementation.
TEST(AuditMerkle, PublishedTree) {
  const char* const leaves[] = {
      "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
  const char* const roots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                               "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                               "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                               "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                               "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                               "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                               "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                               "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  const std::string a = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    b = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    c = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                    d = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                    e = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    f = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
  Tree tree;
  Hash empty;
  ASSERT_OK(root(tree.hasher, tree.range, empty));
  EXPECT_EQ(to_hex(empty.bytes), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (size_t i = 0; i < 8; ++i) {
    tree.add(from_hex(leaves[i]));
    EXPECT_EQ(to_hex(tree.root(i + 1).bytes), roots[i]);
  }
  struct Published {
    uint64_t place, size;
    std::vector<std::string> hashes;
  };
  const auto check = [](const Proof& proof, const Published& wanted) {
    ASSERT_EQ(proof.count, wanted.hashes.size());
    for (size_t i = 0; i < proof.count; ++i) EXPECT_EQ(to_hex(proof.hashes[i].bytes), wanted.hashes[i]);
  };
  for (const Published& wanted : {Published{0, 1, {}},
                                  {0, 8, {a, b, c}},
                                  {5, 8, {d, e, roots[3]}},
                                  {2, 3, {roots[1]}},
                                  {1, 5, {roots[0], b, d}}}) {
    Proof proof;
    ASSERT_OK(inclusion_proof(tree.hasher, wanted.place, wanted.size, Tree::find, &tree, proof));
    check(proof, wanted);
  }
  for (const Published& wanted :
       {Published{1, 1, {}}, {1, 8, {a, b, c}}, {6, 8, {f, e, roots[3]}}, {2, 5, {b, d}}}) {
    Proof proof;
    ASSERT_OK(consistency_proof(tree.hasher, wanted.place, wanted.size, Tree::find, &tree, proof));
    check(proof, wanted);
  }
}

// Leaf and node of both suites are the hash over the prefix and the bytes; a leaf never hashes as a node.
TEST(AuditMerkle, PrefixesKeepLeavesAndNodesApart) {
  for (Suite suite : test::kSuites) {
    const TreeHasher hasher(engine(), suite);
    std::mt19937_64 random(62);
    for (size_t size : {0u, 1u, 55u, 64u, 300u, 2048u}) {
      const Buffer leaf = test::random_bytes(random, size);
      Buffer prefixed = {0};
      prefixed.insert(prefixed.end(), leaf.begin(), leaf.end());
      Hash expected, made;
      ASSERT_OK(engine().digest(suite, prefixed, expected.bytes));
      ASSERT_OK(hasher.leaf(leaf, made));
      EXPECT_EQ(made, expected);
    }
    const Buffer pair = test::random_bytes(random, 2 * kHashSize);
    Hash left, right, node, leaf;
    std::memcpy(left.bytes, pair.data(), kHashSize);
    std::memcpy(right.bytes, pair.data() + kHashSize, kHashSize);
    ASSERT_OK(hasher.node(left, right, node));
    ASSERT_OK(hasher.leaf(pair, leaf));
    EXPECT_FALSE(node == leaf);
    Buffer prefixed = {1};
    prefixed.insert(prefixed.end(), pair.begin(), pair.end());
    Hash expected;
    ASSERT_OK(engine().digest(suite, prefixed, expected.bytes));
    EXPECT_EQ(node, expected);
    EXPECT_EQ(hasher.leaf(Buffer(kMaxLeafSize + 1), leaf).code, Code::kInvalidArgument);
  }
}

TEST(AuditMerkle, AppendIsTheDefinition) {
  for (Suite suite : test::kSuites) {
    Tree tree = grown(suite, kSizes);
    for (uint64_t size = 1; size <= kSizes; ++size) {
      ASSERT_EQ(tree.root(size), tree.naive(0, size)) << size;
      CompactRange range;
      ASSERT_OK(range_at(size, Tree::find, &tree, range));
      Hash made;
      ASSERT_OK(root(tree.hasher, range, made));
      ASSERT_EQ(made, tree.root(size));
      if (size == kSizes) continue;
      // What was loaded grows like what was kept.
      ASSERT_OK(append(tree.hasher, range, tree.leaf(size)));
      ASSERT_OK(root(tree.hasher, range, made));
      ASSERT_EQ(made, tree.root(size + 1));
    }
  }
}

// Changes one thing at a time: one bit of each hash, the order, the number of hashes.
template <typename Verify>
void expect_only(const Proof& proof, std::mt19937_64& random, Verify holds) {
  ASSERT_TRUE(holds(view(proof)));
  Proof changed = proof;
  for (uint32_t i = 0; i < proof.count; ++i) {
    const size_t bit = random() % (8 * kHashSize);
    changed.hashes[i].bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    ASSERT_FALSE(holds(view(changed)));
    changed.hashes[i] = proof.hashes[i];
    if (i == 0) continue;
    std::swap(changed.hashes[i], changed.hashes[i - 1]);
    ASSERT_FALSE(holds(view(changed)));
    std::swap(changed.hashes[i], changed.hashes[i - 1]);
  }
  if (proof.count != 0) {
    ASSERT_FALSE(holds(view(proof).first(proof.count - 1)));
    ASSERT_FALSE(holds(view(proof).subspan(1)));
  }
  changed.hashes[changed.count] = proof.count == 0 ? Hash{} : proof.hashes[proof.count - 1];
  ++changed.count;
  ASSERT_FALSE(holds(view(changed)));
}

void check_inclusion(Tree& tree, uint64_t sizes) {
  std::mt19937_64 random(63);
  for (uint64_t size = 1; size <= sizes; ++size)
    for (uint64_t index = 0; index < size; ++index) {
      Proof proof;
      ASSERT_OK(inclusion_proof(tree.hasher, index, size, Tree::find, &tree, proof));
      const auto verifies = [&](const Hash& leaf, uint64_t at, uint64_t of, const Hash& root) {
        const Status status = verify_inclusion(tree.hasher, leaf, at, of, view(proof), root);
        EXPECT_TRUE(status.ok() || status.code == Code::kAuthenticationFailed);
        return status.ok();
      };
      expect_only(proof, random, [&](std::span<const Hash> hashes) {
        return verify_inclusion(tree.hasher, tree.leaf(index), index, size, hashes, tree.root(size)).ok();
      });
      for (uint64_t other = 0; other < size; ++other) {
        if (other == index) continue;
        ASSERT_FALSE(verifies(tree.leaf(other), index, size, tree.root(size)));
        ASSERT_FALSE(verifies(tree.leaf(index), other, size, tree.root(size)));
      }
      // A head signs size and root together: another size comes with its own root.
      for (uint64_t other : {size - 1, size + 1, size ^ 64, size * 2})
        if (other != 0 && other <= tree.range.size) {
          ASSERT_FALSE(verifies(tree.leaf(index), index, other, tree.root(other)));
        }
      for (uint64_t out : {size, size + 1, ~uint64_t{0}})
        ASSERT_FALSE(verifies(tree.leaf(index), out, size, tree.root(size)));
      Hash root = tree.root(size);
      root.bytes[random() % kHashSize] ^= 1;
      ASSERT_FALSE(verifies(tree.leaf(index), index, size, root));
    }
}

void check_consistency(Tree& tree, uint64_t sizes) {
  std::mt19937_64 random(64);
  for (uint64_t second = 1; second <= sizes; ++second)
    for (uint64_t first = 1; first <= second; ++first) {
      Proof proof;
      ASSERT_OK(consistency_proof(tree.hasher, first, second, Tree::find, &tree, proof));
      const auto verifies = [&](uint64_t from, const Hash& from_root, uint64_t to, const Hash& to_root) {
        return verify_consistency(tree.hasher, from, from_root, to, to_root, view(proof)).ok();
      };
      expect_only(proof, random, [&](std::span<const Hash> hashes) {
        return verify_consistency(tree.hasher, first, tree.root(first), second, tree.root(second), hashes)
            .ok();
      });
      for (uint64_t other : {first - 1, first + 1, second, second + 1, first ^ 32}) {
        if (other == 0 || other > tree.range.size) continue;
        if (other != first) {
          ASSERT_FALSE(verifies(other, tree.root(other), second, tree.root(second)));
          ASSERT_FALSE(verifies(first, tree.root(other), second, tree.root(second)));
        }
        if (other != second) {
          ASSERT_FALSE(verifies(first, tree.root(first), other, tree.root(other)));
          ASSERT_FALSE(verifies(first, tree.root(first), second, tree.root(other)));
        }
      }
      ASSERT_FALSE(verifies(0, tree.root(first), second, tree.root(second)));
      if (first != second) {
        ASSERT_FALSE(verifies(second, tree.root(second), first, tree.root(first)));
      }
    }
}

TEST(AuditMerkle, InclusionIsProvedAndNothingElse) {
  Tree tree = grown(Suite::kAes256Gcm, 2 * kSizes);
  check_inclusion(tree, kSizes);
}
TEST(AuditMerkle, InclusionOfSm3) {
  Tree tree = grown(Suite::kSm4CtrHmacSm3, 40);
  check_inclusion(tree, 20);
}
TEST(AuditMerkle, ConsistencyIsProvedAndNothingElse) {
  Tree tree = grown(Suite::kAes256Gcm, 2 * kSizes);
  check_consistency(tree, kSizes);
}
TEST(AuditMerkle, ConsistencyOfSm3) {
  Tree tree = grown(Suite::kSm4CtrHmacSm3, 40);
  check_consistency(tree, 20);
}

// Of a tree whose leaves are all the same, every subtree of a level has the same root: sizes up to the limit
// fit in a table.
struct Uniform {
  Uniform() : hasher(engine(), Suite::kAes256Gcm) {
    EXPECT_OK(hasher.leaf({}, levels[0]));
    for (int level = 1; level <= kMaxLevels; ++level)
      EXPECT_OK(hasher.node(levels[level - 1], levels[level - 1], levels[level]));
  }
  static Status find(void* context, int level, uint64_t, Hash& out) {
    out = static_cast<Uniform*>(context)->levels[level];
    return {};
  }
  Hash root_of(uint64_t size) {
    CompactRange range;
    Hash made = {};
    EXPECT_OK(range_at(size, find, this, range));
    EXPECT_OK(root(hasher, range, made));
    return made;
  }

  TreeHasher hasher;
  Hash levels[kMaxLevels + 1];
};

TEST(AuditMerkle, ProofsOfTheLargestTrees) {
  Uniform tree;
  std::mt19937_64 random(65);
  for (int round = 0; round < 300; ++round) {
    const uint64_t size = round < 2 ? kMaxTreeSize - round : (random() >> 1 >> random() % 40) + 2;
    const uint64_t index = round % 7 == 0 ? size - 1 : random() % size;
    const uint64_t first = 1 + random() % size;
    Proof proof;
    ASSERT_OK(inclusion_proof(tree.hasher, index, size, Uniform::find, &tree, proof));
    EXPECT_OK(verify_inclusion(tree.hasher, tree.levels[0], index, size, view(proof), tree.root_of(size)));
    ASSERT_OK(consistency_proof(tree.hasher, first, size, Uniform::find, &tree, proof));
    EXPECT_OK(
        verify_consistency(tree.hasher, first, tree.root_of(first), size, tree.root_of(size), view(proof)));
  }
}

TEST(AuditMerkle, RefusesWhatIsOutOfBounds) {
  Uniform tree;
  Proof proof;
  CompactRange range;
  const auto inclusion = [&](uint64_t index, uint64_t size) {
    return inclusion_proof(tree.hasher, index, size, Uniform::find, &tree, proof).code;
  };
  const auto consistency = [&](uint64_t first, uint64_t second) {
    return consistency_proof(tree.hasher, first, second, Uniform::find, &tree, proof).code;
  };
  EXPECT_EQ(inclusion(0, 0), Code::kInvalidArgument);
  EXPECT_EQ(inclusion(5, 5), Code::kInvalidArgument);
  EXPECT_EQ(inclusion(0, kMaxTreeSize + 1), Code::kInvalidArgument);
  EXPECT_EQ(consistency(0, 5), Code::kInvalidArgument);
  EXPECT_EQ(consistency(6, 5), Code::kInvalidArgument);
  EXPECT_EQ(consistency(1, kMaxTreeSize + 1), Code::kInvalidArgument);
  EXPECT_EQ(range_at(kMaxTreeSize + 1, Uniform::find, &tree, range).code, Code::kInvalidArgument);

  ASSERT_OK(range_at(kMaxTreeSize, Uniform::find, &tree, range));
  EXPECT_EQ(range.count, static_cast<uint32_t>(kMaxLevels));
  EXPECT_EQ(append(tree.hasher, range, tree.levels[0]).code, Code::kInvalidArgument) << "full";
  ASSERT_OK(range_at(6, Uniform::find, &tree, range));
  range.count = 1;
  Hash made;
  EXPECT_EQ(append(tree.hasher, range, tree.levels[0]).code, Code::kInvalidArgument) << "not a right edge";
  EXPECT_EQ(root(tree.hasher, range, made).code, Code::kInvalidArgument);
}

// A subtree that is not there is the source's error, not a proof.
TEST(AuditMerkle, SourceErrorsArePassedOn) {
  Tree tree = grown(Suite::kAes256Gcm, 20);
  Proof proof;
  CompactRange range;
  EXPECT_EQ(inclusion_proof(tree.hasher, 3, 21, Tree::find, &tree, proof).code, Code::kInternal);
  EXPECT_EQ(consistency_proof(tree.hasher, 3, 21, Tree::find, &tree, proof).code, Code::kInternal);
  EXPECT_EQ(range_at(21, Tree::find, &tree, range).code, Code::kInternal);
}

}  // namespace
}  // namespace visage::audit
