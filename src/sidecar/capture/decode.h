// An upload to upright 8-bit BGR, inside the limits.
#pragma once

#include <opencv2/core.hpp>

#include "sidecar/capture/format.h"
#include "sidecar/capture/pipeline.h"

namespace visage::capture {

// Bytes, sides and pixels are checked on the header, before memory for the picture is asked for. 16-bit
// samples are scaled to 8, greyscale becomes BGR, transparency is composited on white, EXIF orientation is
// applied.
std::optional<Failure> decode(Bytes image, const Limits& limits, cv::Mat& out);

// Turns a picture as stored into an upright one; `orientation` as EXIF numbers it.
cv::Mat upright(const cv::Mat& image, int orientation);

}  // namespace visage::capture
