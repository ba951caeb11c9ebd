// The ledger's Merkle tree: RFC 9162, section 2.1, over SHA-256 or SM3.
//
//   leaf hash = H(0x00 ‖ leaf)      node hash = H(0x01 ‖ left ‖ right)      empty tree = H()
//
// Nothing here allocates. A subtree (level, index) covers the leaves [index · 2^level, (index + 1) ·
// 2^level).
#pragma once

#include "core/audit/event.h"

namespace visage::audit {

struct Hash {
  uint8_t bytes[kHashSize];

  Bytes view() const { return {bytes, kHashSize}; }
  friend bool operator==(const Hash& a, const Hash& b) {
    return std::memcmp(a.bytes, b.bytes, kHashSize) == 0;
  }
};

inline constexpr int kMaxLevels = 63;
inline constexpr uint64_t kMaxTreeSize = (uint64_t{1} << kMaxLevels) - 1;

// Hashes of the tree with the suite's hash; SHA-256 takes the direct path of crypto::sha256.
class TreeHasher {
 public:
  TreeHasher(crypto::Engine& engine, crypto::Suite suite) : engine_(&engine), suite_(suite) {}
  // `leaf` has at most kMaxLeafSize bytes.
  Status leaf(Bytes leaf, Hash& out) const;
  Status node(const Hash& left, const Hash& right, Hash& out) const;
  Status empty(Hash& out) const;

 private:
  crypto::Engine* engine_;
  crypto::Suite suite_;
};

// The tree's right edge: roots of the complete subtrees that a tree of `size` leaves falls into, largest
// first. All that is needed to append and to know the root.
struct CompactRange {
  uint64_t size;
  uint32_t count;  // = popcount(size)
  Hash peaks[kMaxLevels];
};

// Told of every subtree that an append completes, levels 1 and up, in ascending order of level. A failed
// append leaves the range as it was; what the sink was told by then is void.
using SubtreeSink = void (*)(void* context, int level, uint64_t index, const Hash& hash);

Status append(const TreeHasher& hasher, CompactRange& range, const Hash& leaf, SubtreeSink sink = nullptr,
              void* context = nullptr);
Status root(const TreeHasher& hasher, const CompactRange& range, Hash& out);

// Where proofs get the roots of complete subtrees from; level 0 is a leaf's hash.
using SubtreeSource = Status (*)(void* context, int level, uint64_t index, Hash& out);

struct Proof {
  uint32_t count;
  Hash hashes[2 * kMaxLevels + 1];
};

// Right edge of the tree's first `size` leaves.
Status range_at(uint64_t size, SubtreeSource source, void* context, CompactRange& out);

// RFC 9162, 2.1.3 and 2.1.4. kInvalidArgument unless index < size; unless 0 < first <= second.
Status inclusion_proof(const TreeHasher& hasher, uint64_t index, uint64_t size, SubtreeSource source,
                       void* context, Proof& out);
Status consistency_proof(const TreeHasher& hasher, uint64_t first, uint64_t second, SubtreeSource source,
                         void* context, Proof& out);

// What a holder of two heads does. kAuthenticationFailed when the proof does not hold.
Status verify_inclusion(const TreeHasher& hasher, const Hash& leaf, uint64_t index, uint64_t size,
                        std::span<const Hash> proof, const Hash& root);
Status verify_consistency(const TreeHasher& hasher, uint64_t first, const Hash& first_root, uint64_t second,
                          const Hash& second_root, std::span<const Hash> proof);

}  // namespace visage::audit
