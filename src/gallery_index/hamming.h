// The distance of two codes, by the best kernel of this machine.
#pragma once

#include "core/gallery/search.h"

namespace visage::gallery_index {

inline uint32_t distance(const gallery::Kernels& kernels, const uint64_t* a, const uint64_t* b) {
  gallery::Hit hit;
  kernels.within(a, 1, b, gallery::kCodeBits, &hit);
  return hit.distance;
}

}  // namespace visage::gallery_index
