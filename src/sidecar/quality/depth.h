// A depth map that was taken with the picture and is aligned with it.
//
// Input is hostile: sizes are checked before memory is asked for. Two forms: a PNG of 16-bit grey, and raw
// little-endian 16-bit rows whose size the caller states. 0 means that nothing was measured at a pixel.
#pragma once

#include <opencv2/core.hpp>
#include <optional>

#include "core/base/bytes.h"
#include "sidecar/capture/failure.h"
#include "sidecar/capture/limits.h"
#include "sidecar/quality/depth_settings.h"

namespace visage::quality {

struct DepthFrame {
  cv::Mat steps;  // CV_16U
  DepthSettings settings;

  float millimetres(int x, int y) const {
    return static_cast<float>(steps.at<uint16_t>(y, x)) * settings.unit_mm;
  }
  // Where a point of the picture lies in the map, which may be of another size.
  cv::Point2f place(cv::Point2f point, cv::Size picture) const;
  // Median of what was measured in a square around a place of the map, mm; 0 when half of it is missing.
  float median_around(cv::Point2f middle, int radius) const;
};

// Fails as pictures fail: kUnsupportedFormat, kUnreadableImage, kImageTooLarge, kImageTooSmall,
// kDecodeTimeout.
std::optional<capture::Failure> read_depth(Bytes bytes, const DepthSettings& settings,
                                           const capture::Limits& limits, DepthFrame& out);

}  // namespace visage::quality
