// Pictures as the networks read them.
#pragma once

#include <opencv2/core.hpp>
#include <span>

namespace visage::capture {

enum class Channels : uint8_t { kRgb, kBgr };
enum class Layout : uint8_t { kNhwc, kNchw };

// 8-bit BGR to float: value · scale + shift, per channel alike. `out` has rows·cols·3 values.
void to_tensor(const cv::Mat& bgr, Channels channels, Layout layout, float scale, float shift,
               std::span<float> out);

}  // namespace visage::capture
