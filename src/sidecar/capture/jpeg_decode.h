// JPEG through libjpeg itself, not through OpenCV: it stops at a deadline, which matters for progressive
// files with thousands of scans, and it tells damaged data, which OpenCV passes on as grey.
#pragma once

#include <chrono>
#include <opencv2/core.hpp>
#include <optional>

#include "core/base/bytes.h"
#include "sidecar/capture/failure.h"

namespace visage::capture {

using Clock = std::chrono::steady_clock;

// 8-bit BGR as stored (not rotated). CMYK and greyscale become BGR.
std::optional<Failure> decode_jpeg(Bytes image, Clock::time_point deadline, cv::Mat& out);

}  // namespace visage::capture
