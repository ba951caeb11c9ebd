#include "sidecar/capture/tensor.h"

namespace visage::capture {

void to_tensor(const cv::Mat& bgr, Channels channels, Layout layout, float scale, float shift,
               std::span<float> out) {
  const size_t plane = bgr.total();
  const size_t channel_step = layout == Layout::kNhwc ? 1 : plane;
  const size_t pixel_step = layout == Layout::kNhwc ? 3 : 1;
  size_t pixel = 0;
  for (int y = 0; y < bgr.rows; ++y) {
    const uint8_t* from = bgr.ptr(y);
    for (int x = 0; x < bgr.cols; ++x, ++pixel, from += 3)
      for (size_t c = 0; c < 3; ++c)
        out[pixel * pixel_step + c * channel_step] =
            static_cast<float>(from[channels == Channels::kRgb ? 2 - c : c]) * scale + shift;
  }
}

}  // namespace visage::capture
