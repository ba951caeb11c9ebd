// Which place has a reference's code? For who keeps codes in places and knows what is in each.
//
// An open table of places alone, four bytes a slot: the identifiers are where the codes are. The caller gives
// memory and sees that at most half of the slots are taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/base/bytes.h"

namespace visage::gallery {

inline constexpr uint32_t kNoPlace = 0xFFFFFFFF;

// `IdentifierAt` gives the reference in a place: `const Uuid& operator()(uint32_t place)`.
template <typename IdentifierAt>
class PlaceIndex {
 public:
  explicit PlaceIndex(IdentifierAt at) : at_(at) {}

  // `slots`, a power of two of them, take the place of the old ones, which the caller may free then. `seed`
  // is secret: rows can be restored from anywhere, and nobody shall choose identifiers that collide.
  void move_to(uint32_t* slots, size_t slot_count, uint64_t seed) {
    const uint32_t* const old_slots = slots_;
    const size_t old_count = slots_ == nullptr ? 0 : mask_ + 1;
    std::memset(slots, 0xFF, slot_count * sizeof *slots);
    slots_ = slots;
    mask_ = slot_count - 1;
    seed_ = seed;
    for (size_t i = 0; i < old_count; ++i)
      if (old_slots[i] != kNoPlace) put(old_slots[i]);
  }
  uint32_t find(const Uuid& reference) const {
    if (slots_ == nullptr) return kNoPlace;
    for (size_t slot = home(reference);; slot = (slot + 1) & mask_) {
      const uint32_t place = slots_[slot];
      if (place == kNoPlace || at_(place) == reference) return place;
    }
  }
  // Of a reference that is not there.
  void insert(uint32_t place) {
    put(place);
    ++count_;
  }
  // Of one that is: now it is here.
  void replace(uint32_t old_place, uint32_t place) { slots_[slot_of(old_place)] = place; }
  void erase(uint32_t place) {
    size_t hole = slot_of(place);
    // What was put behind for want of room comes forward, so that a free slot always ends a search.
    for (size_t next = (hole + 1) & mask_; slots_[next] != kNoPlace; next = (next + 1) & mask_) {
      if (((next - home(at_(slots_[next]))) & mask_) < ((next - hole) & mask_)) continue;
      slots_[hole] = slots_[next];
      hole = next;
    }
    slots_[hole] = kNoPlace;
    --count_;
  }
  void clear() {
    if (slots_ != nullptr) std::memset(slots_, 0xFF, (mask_ + 1) * sizeof *slots_);
    count_ = 0;
  }
  size_t count() const { return count_; }
  bool wants_room() const { return slots_ == nullptr || count_ >= (mask_ + 1) / 2; }
  size_t slot_count() const { return slots_ == nullptr ? 0 : mask_ + 1; }

 private:
  size_t home(const Uuid& reference) const {
    uint64_t halves[2];
    std::memcpy(halves, reference.bytes, sizeof halves);
    uint64_t mixed = (halves[0] ^ seed_) * 0x9E3779B97F4A7C15;
    mixed = (mixed ^ (mixed >> 32) ^ halves[1]) * (seed_ | 1);
    return static_cast<size_t>(mixed ^ (mixed >> 32)) & mask_;
  }
  void put(uint32_t place) {
    size_t slot = home(at_(place));
    while (slots_[slot] != kNoPlace) slot = (slot + 1) & mask_;
    slots_[slot] = place;
  }
  size_t slot_of(uint32_t place) const {
    size_t slot = home(at_(place));
    while (slots_[slot] != place) slot = (slot + 1) & mask_;
    return slot;
  }

  IdentifierAt at_;
  uint32_t* slots_ = nullptr;
  size_t mask_ = 0;
  size_t count_ = 0;
  uint64_t seed_ = 0;
};

}  // namespace visage::gallery
