// What every decoding of a picture must keep, whatever the bytes.
#pragma once

#include <chrono>

#include "sidecar/capture/decode.h"
#include "target.h"

namespace visage::fuzz {

inline void decode_within_limits(Bytes input) {
  using namespace visage::capture;
  const Limits limits = {
      .max_bytes = 8192, .max_pixels = 16'384, .max_side = 512, .min_side = 4, .decode_ms = 200};
  cv::Mat out;
  const auto start = std::chrono::steady_clock::now();
  const std::optional<Failure> failure = decode(input, limits, out);
  // Of the order of the limit: the machine may be busy and the build is a slow one.
  require(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
  ImageHeader header;
  if (failure) return;
  require(!read_header(input, header));
  const bool turned = header.orientation >= 5;
  require(out.type() == CV_8UC3 && out.cols == (turned ? header.height : header.width) &&
          out.rows == (turned ? header.width : header.height));
  require(out.total() <= limits.max_pixels && out.cols <= limits.max_side && out.rows <= limits.max_side);
}

}  // namespace visage::fuzz
