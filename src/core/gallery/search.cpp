#include "core/gallery/search.h"

#include <algorithm>
#include <initializer_list>

namespace visage::gallery {
namespace {

// Codes that a kernel takes at once: 32 kB, which stay in the nearest cache while their hits are looked at.
// The bound gets tighter from block to block.
constexpr size_t kBlock = 256;

}  // namespace

void Nearest::offer(const Hit& hit) {
  if (hit.distance > most_) return;
  if (count_ < limit_) {
    room_[count_++] = hit;
    std::push_heap(room_, room_ + count_, nearer);
    return;
  }
  if (!nearer(hit, room_[0])) return;
  std::pop_heap(room_, room_ + count_, nearer);
  room_[count_ - 1] = hit;
  std::push_heap(room_, room_ + count_, nearer);
}

uint32_t Nearest::bound() const {
  return count_ < limit_ ? most_ : std::min(most_, room_[0].distance);
}

size_t Nearest::sort() {
  std::sort_heap(room_, room_ + count_, nearer);
  return count_;
}

void search(const Kernels& kernels, const uint64_t* codes, const uint64_t* live, size_t first, size_t count,
            const uint64_t* probe, Nearest& out) {
  Hit hits[kBlock];
  for (size_t done = 0; done < count; done += kBlock) {
    const size_t begin = first + done;
    const size_t found =
        kernels.within(codes + begin * kCodeWords, std::min(kBlock, count - done), probe, out.bound(), hits);
    for (size_t i = 0; i < found; ++i) {
      const size_t place = begin + hits[i].place;
      if (live != nullptr && (live[place / 64] >> (place % 64) & 1) == 0) continue;
      out.offer({static_cast<uint32_t>(place), hits[i].distance});
    }
  }
}

const Kernels* kernels_at(reference::Level level) {
  switch (level) {
    case reference::Level::kScalar:
      return &kScalarKernels;
    case reference::Level::kAvx2:
      return avx2_kernels();
    case reference::Level::kAvx512:
      return avx512_kernels();
    case reference::Level::kNeon:
      return neon_kernels();
  }
  return nullptr;
}

const Kernels& best_kernels() {
  static const Kernels& best = []() -> const Kernels& {
    using reference::Level;
    for (Level level : {Level::kAvx512, Level::kAvx2, Level::kNeon})
      if (const Kernels* kernels = kernels_at(level)) return *kernels;
    return kScalarKernels;
  }();
  return best;
}

}  // namespace visage::gallery
