#include "sidecar/capture/png_encode.h"

#include <png.h>

namespace visage::capture {

bool encode_png(const cv::Mat& bgr, WipedVector<uint8_t>& out) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(bgr.cols);
  image.height = static_cast<png_uint_32>(bgr.rows);
  image.format = PNG_FORMAT_BGR;
  const auto stride = static_cast<png_int_32>(bgr.step[0]);
  // An upper bound, so that the picture is compressed once.
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  out.resize(size);
  const int written = png_image_write_to_memory(&image, out.data(), &size, 0, bgr.data, stride, nullptr);
  png_image_free(&image);
  out.resize(written != 0 ? size : 0);
  return written != 0;
}

}  // namespace visage::capture
