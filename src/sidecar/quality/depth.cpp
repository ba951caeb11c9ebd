#include "sidecar/quality/depth.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "sidecar/capture/codecs.h"
#include "sidecar/capture/format.h"

namespace visage::quality {
namespace {

using capture::Failure;
using capture::FailureCode;

// Devices state 0.1 mm to a few mm a step; ten times either way is a mistake.
constexpr float kMinUnit = 0.01f, kMaxUnit = 10;
constexpr double kMaxSkewMs = 60'000;

std::optional<Failure> check_size(int width, int height, const capture::Limits& limits) {
  if (width > limits.max_side || height > limits.max_side ||
      static_cast<size_t>(width) * static_cast<size_t>(height) > limits.max_pixels)
    return Failure{FailureCode::kImageTooLarge, "depth map"};
  if (width < limits.min_side || height < limits.min_side)
    return Failure{FailureCode::kImageTooSmall, "depth map"};
  return std::nullopt;
}

}  // namespace

cv::Point2f DepthFrame::place(cv::Point2f point, cv::Size picture) const {
  const float sx = static_cast<float>(steps.cols) / static_cast<float>(picture.width);
  const float sy = static_cast<float>(steps.rows) / static_cast<float>(picture.height);
  return {(point.x + 0.5f) * sx - 0.5f, (point.y + 0.5f) * sy - 0.5f};
}

float DepthFrame::median_around(cv::Point2f middle, int radius) const {
  const cv::Rect square =
      cv::Rect(cvRound(middle.x) - radius, cvRound(middle.y) - radius, 2 * radius + 1, 2 * radius + 1) &
      cv::Rect({}, steps.size());
  std::vector<uint16_t> values;
  for (int y = square.y; y < square.br().y; ++y)
    for (int x = square.x; x < square.br().x; ++x)
      if (const uint16_t value = steps.at<uint16_t>(y, x); value != 0) values.push_back(value);
  if (values.empty() || 2 * values.size() < static_cast<size_t>(square.area())) return 0;
  const auto half = values.begin() + static_cast<long>(values.size() / 2);
  std::nth_element(values.begin(), half, values.end());
  return static_cast<float>(*half) * settings.unit_mm;
}

bool plausible(const DepthSettings& s) {
  const auto length = [](float v) { return std::isfinite(v) && v >= 0 && v < 1e6f; };
  return s.width >= 0 && s.height >= 0 && s.unit_mm >= kMinUnit && s.unit_mm <= kMaxUnit && length(s.fx) &&
         length(s.fy) && (s.fx > 0) == (s.fy > 0) && length(s.cx) && length(s.cy) &&
         (!s.skew_ms || std::abs(*s.skew_ms) <= kMaxSkewMs);
}

std::optional<Failure> read_depth(Bytes bytes, const DepthSettings& settings, const capture::Limits& limits,
                                  DepthFrame& out) {
  if (bytes.size() > limits.max_bytes) return Failure{FailureCode::kImageTooLarge, "depth map"};
  out.settings = settings;
  if (capture::sniff(bytes) == capture::Format::kPng) {
    capture::ImageHeader header;
    if (auto failure = capture::read_header(bytes, header)) return failure;
    // IHDR: bit depth, colour type (PNG, clause 11.2.1).
    constexpr size_t kBitDepth = 24, kColourType = 25;
    if (bytes[kBitDepth] != 16 || bytes[kColourType] != 0)
      return Failure{FailureCode::kUnsupportedFormat, "a depth map is 16-bit grey"};
    if ((settings.width != 0 && settings.width != header.width) ||
        (settings.height != 0 && settings.height != header.height))
      return Failure{FailureCode::kUnreadableImage, "the depth map is not of the stated size"};
    if (auto failure = check_size(header.width, header.height, limits)) return failure;
    const auto deadline = capture::Clock::now() + std::chrono::milliseconds(limits.decode_ms);
    return capture::decode_png16(bytes, {header.width, header.height}, deadline, out.steps);
  }
  if (settings.width <= 0 || settings.height <= 0)
    return Failure{FailureCode::kUnsupportedFormat, "a raw depth map needs its width and height"};
  if (auto failure = check_size(settings.width, settings.height, limits)) return failure;
  const size_t wanted =
      size_t{2} * static_cast<size_t>(settings.width) * static_cast<size_t>(settings.height);
  if (bytes.size() != wanted)
    return Failure{FailureCode::kUnreadableImage, "the raw depth map has not the stated size"};
  out.steps.create(settings.height, settings.width, CV_16U);
  for (int y = 0; y < settings.height; ++y) {
    const uint8_t* in =
        bytes.data() + size_t{2} * static_cast<size_t>(y) * static_cast<size_t>(settings.width);
    uint16_t* to = out.steps.ptr<uint16_t>(y);
    for (int x = 0; x < settings.width; ++x) to[x] = static_cast<uint16_t>(in[2 * x] | in[2 * x + 1] << 8);
  }
  return std::nullopt;
}

}  // namespace visage::quality
