// What the two kinds of index have in common.
#pragma once

#include <vector>

#include "gallery_index/index.h"

namespace visage::gallery_index {

class IndexBase : public Index {
 public:
  explicit IndexBase(const Settings& settings) : settings_(settings) {}
  IndexBase(const IndexBase&) = delete;
  IndexBase& operator=(const IndexBase&) = delete;

  const Settings& settings() const final { return settings_; }
  Status change(const Settings& settings) final;
  size_t size() const final { return places_.size(); }
  size_t placed() const final;
  Status add(std::span<const uint64_t> codes, std::span<const uint32_t> places) final;
  Status place(const std::function<uint32_t(size_t number, const uint64_t* code)>& place_of) final;
  void place_one(size_t number, uint32_t place) final { places_[number] = place; }
  Status search(std::span<const uint64_t> probe, const Live& live, gallery::Nearest& out,
                bool& overlooks) final;

 protected:
  // These may throw; nothing leaves the functions above.
  virtual void append(const uint64_t* codes, size_t count) = 0;
  virtual void each_code(const std::function<void(size_t number, const uint64_t* code)>& take) const = 0;
  virtual bool find(const uint64_t* probe, const Live& live, gallery::Nearest& out) = 0;

  void offer(size_t number, uint32_t distance, const Live& live, gallery::Nearest& out) const {
    const uint32_t place = places_[number];
    if (place != kNoPlace && (!live || live(place))) out.offer({place, distance});
  }

  Settings settings_;
  std::vector<uint32_t> places_;  // by the code's number in the index
};

}  // namespace visage::gallery_index
