// 8-bit BGR to PNG in memory that wipes itself.
#pragma once

#include <opencv2/core.hpp>

#include "sidecar/capture/wiping.h"

namespace visage::capture {

// False when libpng fails; `out` is then empty.
bool encode_png(const cv::Mat& bgr, WipedVector<uint8_t>& out);

}  // namespace visage::capture
