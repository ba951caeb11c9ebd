// An index that follows the codes of a gallery in memory, block by block.
//
// A block is kBlockPlaces places that lie together; the gallery's owner shows a block as it is now, and the
// follower does what makes the index agree with it. It remembers of each place a fingerprint of its code: so
// showing a block twice costs nothing, and a code that moved, or that a snapshot brought without a place, is
// recognised and not added again. FAISS cannot delete from a graph, so a code that is gone stays in the
// index without a place; when there are many, the owner makes a new one.
#pragma once

#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "gallery_index/index.h"

namespace visage::gallery_index {

inline constexpr size_t kBlockPlaces = 1024;
inline constexpr size_t kLiveWords = kBlockPlaces / 64;

// As a block is now. Bits of `live` that are set are places in use.
struct BlockView {
  uint32_t number;  // its first place is number * kBlockPlaces
  const uint64_t* codes;
  const uint64_t* live;
};

class Follower {
 public:
  explicit Follower(std::unique_ptr<Index> index);
  // Virtual, as the owner is in another shared object.
  virtual ~Follower() = default;
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // Makes the index agree with a block, by adding at most `most` codes; `more`: show it again. After an error
  // the follower is of no use.
  virtual Status take_block(const BlockView& block, size_t most, bool& more);
  // Drops those of a block's places that are not in use any more; codes are not looked at.
  virtual Status drop_dead(uint32_t number, const uint64_t* live);
  // Keeps only the blocks that `keep` says.
  virtual Status keep_blocks(const std::function<bool(uint32_t number)>& keep);

  virtual Index& index() { return *index_; }
  // Codes in the index that have no place.
  virtual size_t strays() const { return index_->size() - placed_; }

 private:
  using Fingerprint = uint64_t;
  struct Place {
    uint32_t number;  // of its code in the index, or kNoCode
    Fingerprint fingerprint;
  };
  using Block = std::array<Place, kBlockPlaces>;
  static constexpr uint32_t kNoCode = UINT32_MAX;

  Block& block_at(uint32_t number);
  void release(Place& place);

  std::unique_ptr<Index> index_;
  std::unordered_map<uint32_t, std::unique_ptr<Block>> blocks_;
  std::unordered_multimap<Fingerprint, uint32_t> strays_;  // by number in the index
  size_t placed_ = 0;
};

}  // namespace visage::gallery_index
