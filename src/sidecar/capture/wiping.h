// Memory for samples: wiped when it is freed.
#pragma once

#include <vector>

#include "core/base/wiping_allocator.h"

namespace visage::capture {

// A tensor's values, or a copy of a sample's bytes.
template <typename T>
using WipedVector = std::vector<T, WipingAllocator<T>>;

// Makes every cv::Mat of the process wipe its pixels when it is freed, OpenCV's own temporary ones included,
// and keeps OpenCV on the caller's thread. Idempotent and thread-safe.
void prepare_opencv();

}  // namespace visage::capture
