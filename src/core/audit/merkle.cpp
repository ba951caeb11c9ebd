#include "core/audit/merkle.h"

#include <algorithm>
#include <bit>

namespace visage::audit {
namespace {

constexpr uint8_t kLeafPrefix = 0x00;
constexpr uint8_t kNodePrefix = 0x01;

Status does_not_hold(const char* proof) {
  return Status::error(Code::kAuthenticationFailed, "%s proof does not hold", proof);
}

Status sizes_out_of_bounds() {
  return Status::error(Code::kInvalidArgument, "no such place in a tree of that size");
}

// Roots of the complete subtrees of leaves [begin, end), largest first. `begin` is a multiple of a power of
// two that is not less than end - begin.
Status peaks_of(uint64_t begin, uint64_t end, SubtreeSource source, void* context, Hash* peaks,
                uint32_t& count) {
  count = 0;
  while (begin < end) {
    const int level = std::bit_width(end - begin) - 1;
    VISAGE_TRY(source(context, level, begin >> level, peaks[count++]));
    begin += uint64_t{1} << level;
  }
  return {};
}

// From the smallest subtree up: a tree is split at the largest power of two below its size.
Status fold(const TreeHasher& hasher, const Hash* peaks, uint32_t count, Hash& out) {
  out = peaks[count - 1];
  for (uint32_t i = count - 1; i-- > 0;) VISAGE_TRY(hasher.node(peaks[i], out, out));
  return {};
}

// Collects the hashes of a proof from the root down; a proof lists them from the leaf up.
class ProofBuilder {
 public:
  ProofBuilder(const TreeHasher& hasher, SubtreeSource source, void* context, Proof& proof)
      : hasher_(hasher), source_(source), context_(context), proof_(proof) {
    proof_.count = 0;
  }

  Status add(uint64_t begin, uint64_t end) {
    Hash peaks[kMaxLevels];
    uint32_t count;
    VISAGE_TRY(peaks_of(begin, end, source_, context_, peaks, count));
    return fold(hasher_, peaks, count, proof_.hashes[proof_.count++]);
  }
  void turn() { std::reverse(proof_.hashes, proof_.hashes + proof_.count); }

 private:
  const TreeHasher& hasher_;
  SubtreeSource source_;
  void* context_;
  Proof& proof_;
};

// The largest power of two below `count`, where a tree is split.
uint64_t split(uint64_t count) {
  return std::bit_floor(count - 1);
}

}  // namespace

Status TreeHasher::leaf(Bytes leaf, Hash& out) const {
  if (leaf.size() > kMaxLeafSize)
    return Status::error(Code::kInvalidArgument, "a leaf of %zu bytes, at most %zu are allowed", leaf.size(),
                         kMaxLeafSize);
  if (suite_ == crypto::Suite::kAes256Gcm) {
    crypto::sha256({&kLeafPrefix, 1}, leaf, out.bytes);
    return {};
  }
  uint8_t input[1 + kMaxLeafSize];
  Writer writer(input);
  writer.number(kLeafPrefix);
  writer.bytes(leaf);
  return engine_->digest(suite_, writer.written(), out.bytes);
}

Status TreeHasher::node(const Hash& left, const Hash& right, Hash& out) const {
  uint8_t input[1 + 2 * kHashSize];
  Writer writer(input);
  writer.number(kNodePrefix);
  writer.bytes(left.view());
  writer.bytes(right.view());
  return engine_->digest(suite_, input, out.bytes);
}

Status TreeHasher::empty(Hash& out) const {
  return engine_->digest(suite_, {}, out.bytes);
}

Status append(const TreeHasher& hasher, CompactRange& range, const Hash& leaf, SubtreeSink sink,
              void* context) {
  if (range.size >= kMaxTreeSize || range.count != static_cast<uint32_t>(std::popcount(range.size)))
    return Status::error(Code::kInvalidArgument, "the tree's right edge is not one, or the tree is full");
  // The range changes only when all hashes are there.
  Hash hash = leaf;
  uint32_t count = range.count;
  int level = 0;
  for (uint64_t index = range.size; (index & 1) != 0;) {
    VISAGE_TRY(hasher.node(range.peaks[--count], hash, hash));
    index >>= 1;
    if (sink != nullptr) sink(context, ++level, index, hash);
  }
  range.peaks[count++] = hash;
  range.count = count;
  ++range.size;
  return {};
}

Status root(const TreeHasher& hasher, const CompactRange& range, Hash& out) {
  if (range.size > kMaxTreeSize || range.count != static_cast<uint32_t>(std::popcount(range.size)))
    return Status::error(Code::kInvalidArgument, "the tree's right edge is not one");
  if (range.size == 0) return hasher.empty(out);
  return fold(hasher, range.peaks, range.count, out);
}

Status range_at(uint64_t size, SubtreeSource source, void* context, CompactRange& out) {
  if (size > kMaxTreeSize) return sizes_out_of_bounds();
  out.size = size;
  return peaks_of(0, size, source, context, out.peaks, out.count);
}

// RFC 9162, 2.1.3.1, without its recursion: down from the root, the sibling of each step.
Status inclusion_proof(const TreeHasher& hasher, uint64_t index, uint64_t size, SubtreeSource source,
                       void* context, Proof& out) {
  if (index >= size || size > kMaxTreeSize) return sizes_out_of_bounds();
  ProofBuilder proof(hasher, source, context, out);
  for (uint64_t begin = 0, end = size; end - begin > 1;) {
    const uint64_t middle = begin + split(end - begin);
    if (index < middle) {
      VISAGE_TRY(proof.add(middle, end));
      end = middle;
    } else {
      VISAGE_TRY(proof.add(begin, middle));
      begin = middle;
    }
  }
  proof.turn();
  return {};
}

// RFC 9162, 2.1.4.1: down to the subtree that ends where the first tree ended.
Status consistency_proof(const TreeHasher& hasher, uint64_t first, uint64_t second, SubtreeSource source,
                         void* context, Proof& out) {
  if (first == 0 || first > second || second > kMaxTreeSize) return sizes_out_of_bounds();
  ProofBuilder proof(hasher, source, context, out);
  uint64_t begin = 0, end = second;
  while (end != first) {
    const uint64_t middle = begin + split(end - begin);
    if (first <= middle) {
      VISAGE_TRY(proof.add(middle, end));
      end = middle;
    } else {
      VISAGE_TRY(proof.add(begin, middle));
      begin = middle;
    }
  }
  // A subtree that begins with the tree is the first tree, whose root its holder has.
  if (begin != 0) VISAGE_TRY(proof.add(begin, end));
  proof.turn();
  return {};
}

// RFC 9162, 2.1.3.2.
Status verify_inclusion(const TreeHasher& hasher, const Hash& leaf, uint64_t index, uint64_t size,
                        std::span<const Hash> proof, const Hash& root) {
  if (index >= size) return does_not_hold("inclusion");
  uint64_t place = index, last = size - 1;
  Hash hash = leaf;
  for (const Hash& sibling : proof) {
    if (last == 0) return does_not_hold("inclusion");
    if ((place & 1) != 0 || place == last) {
      VISAGE_TRY(hasher.node(sibling, hash, hash));
      for (; (place & 1) == 0 && place != 0; place >>= 1) last >>= 1;
    } else {
      VISAGE_TRY(hasher.node(hash, sibling, hash));
    }
    place >>= 1;
    last >>= 1;
  }
  return last == 0 && hash == root ? Status() : does_not_hold("inclusion");
}

// RFC 9162, 2.1.4.2.
Status verify_consistency(const TreeHasher& hasher, uint64_t first, const Hash& first_root, uint64_t second,
                          const Hash& second_root, std::span<const Hash> proof) {
  if (first == 0 || first > second) return does_not_hold("consistency");
  if (first == second)
    return proof.empty() && first_root == second_root ? Status() : does_not_hold("consistency");
  uint64_t place = first - 1, last = second - 1;
  for (; (place & 1) != 0; place >>= 1) last >>= 1;
  // A first tree of a power of two leaves is itself where the path begins.
  Hash start = first_root;
  if (!std::has_single_bit(first)) {
    if (proof.empty()) return does_not_hold("consistency");
    start = proof.front();
    proof = proof.subspan(1);
  }
  Hash old_hash = start, new_hash = start;
  for (const Hash& sibling : proof) {
    if (last == 0) return does_not_hold("consistency");
    if ((place & 1) != 0 || place == last) {
      VISAGE_TRY(hasher.node(sibling, old_hash, old_hash));
      VISAGE_TRY(hasher.node(sibling, new_hash, new_hash));
      for (; (place & 1) == 0 && place != 0; place >>= 1) last >>= 1;
    } else {
      VISAGE_TRY(hasher.node(new_hash, sibling, new_hash));
    }
    place >>= 1;
    last >>= 1;
  }
  return last == 0 && old_hash == first_root && new_hash == second_root ? Status()
                                                                        : does_not_hold("consistency");
}

}  // namespace visage::audit
