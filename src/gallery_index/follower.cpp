#include "gallery_index/follower.h"

#include "core/base/secret.h"
#include "gallery_index/guarded.h"

namespace visage::gallery_index {
namespace {

using gallery::kCodeWords;

// Codes are near to random bits, so mixing the words is enough; nobody gains by two that look the same: one
// would be taken for the other's place until the next index.
uint64_t fingerprint_of(const uint64_t* code) {
  uint64_t mixed = 0x9E3779B97F4A7C15;
  for (size_t word = 0; word < kCodeWords; ++word) {
    mixed = (mixed ^ code[word]) * 0xFF51AFD7ED558CCD;
    mixed ^= mixed >> 32;
  }
  return mixed;
}

bool is_live(const uint64_t* live, size_t i) {
  return (live[i / 64] >> (i % 64) & 1) != 0;
}

}  // namespace

Follower::Follower(std::unique_ptr<Index> index) : index_(std::move(index)) {
  // Of a snapshot: all of its codes are strays until a block shows them.
  strays_.reserve(index_->size());
  const Status status = index_->place([&](size_t number, const uint64_t* code) {
    strays_.emplace(fingerprint_of(code), static_cast<uint32_t>(number));
    return kNoPlace;
  });
  if (!status.ok()) throw std::bad_alloc();
}

Follower::Block& Follower::block_at(uint32_t number) {
  std::unique_ptr<Block>& block = blocks_[number];
  if (block == nullptr) {
    block = std::make_unique<Block>();
    block->fill({kNoCode, 0});
  }
  return *block;
}

void Follower::release(Place& place) {
  if (place.number == kNoCode) return;
  strays_.emplace(place.fingerprint, place.number);
  index_->place_one(place.number, kNoPlace);
  place.number = kNoCode;
  --placed_;
}

Status Follower::take_block(const BlockView& view, size_t most, bool& more) {
  more = false;
  if (view.number >= kNoPlace / kBlockPlaces)
    return Status::error(Code::kInvalidArgument, "a gallery's block of number %u", view.number);
  return guarded_status("following a gallery", [&]() -> Status {
    Block& block = block_at(view.number);
    std::vector<uint64_t> codes;
    std::vector<uint32_t> places;
    std::vector<Fingerprint> fingerprints;
    for (size_t i = 0; i < kBlockPlaces; ++i) {
      Place& place = block[i];
      if (!is_live(view.live, i)) {
        release(place);
        continue;
      }
      const uint64_t* const code = view.codes + i * kCodeWords;
      const Fingerprint fingerprint = fingerprint_of(code);
      if (place.number != kNoCode && place.fingerprint == fingerprint) continue;
      release(place);
      const auto at = static_cast<uint32_t>(view.number * kBlockPlaces + i);
      if (const auto known = strays_.find(fingerprint); known != strays_.end()) {
        place = {known->second, fingerprint};
        index_->place_one(place.number, at);
        strays_.erase(known);
        ++placed_;
      } else if (places.size() == most) {
        more = true;
      } else {
        codes.insert(codes.end(), code, code + kCodeWords);
        places.push_back(at);
        fingerprints.push_back(fingerprint);
      }
    }
    const size_t first = index_->size();
    VISAGE_TRY(index_->add(codes, places));
    for (size_t i = 0; i < places.size(); ++i)
      block[places[i] % kBlockPlaces] = {static_cast<uint32_t>(first + i), fingerprints[i]};
    placed_ += places.size();
    wipe(codes.data(), codes.size() * sizeof codes[0]);
    return {};
  });
}

Status Follower::drop_dead(uint32_t number, const uint64_t* live) {
  return guarded_status("following a gallery", [&]() -> Status {
    const auto found = blocks_.find(number);
    if (found == blocks_.end()) return {};
    for (size_t i = 0; i < kBlockPlaces; ++i)
      if (!is_live(live, i)) release((*found->second)[i]);
    return {};
  });
}

Status Follower::keep_blocks(const std::function<bool(uint32_t number)>& keep) {
  return guarded_status("following a gallery", [&]() -> Status {
    for (auto each = blocks_.begin(); each != blocks_.end();) {
      if (keep(each->first)) {
        ++each;
        continue;
      }
      for (Place& place : *each->second) release(place);
      each = blocks_.erase(each);
    }
    return {};
  });
}

}  // namespace visage::gallery_index
