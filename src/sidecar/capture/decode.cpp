#include "sidecar/capture/decode.h"

#include "sidecar/capture/codecs.h"

namespace visage::capture {
namespace {

std::optional<Failure> check_size(const ImageHeader& header, const Limits& limits) {
  const std::string size = std::to_string(header.width) + " × " + std::to_string(header.height) + " px";
  if (header.width > limits.max_side || header.height > limits.max_side)
    return Failure{FailureCode::kImageTooLarge,
                   size + ", at most " + std::to_string(limits.max_side) + " px a side are accepted"};
  const size_t pixels = static_cast<size_t>(header.width) * static_cast<size_t>(header.height);
  if (pixels > limits.max_pixels)
    return Failure{FailureCode::kImageTooLarge,
                   size + ", at most " + std::to_string(limits.max_pixels) + " pixels are accepted"};
  if (header.width < limits.min_side || header.height < limits.min_side)
    return Failure{FailureCode::kImageTooSmall,
                   size + ", at least " + std::to_string(limits.min_side) + " px a side are needed"};
  return std::nullopt;
}

// BGRA over white.
cv::Mat composite(const cv::Mat& image) {
  cv::Mat out(image.size(), CV_8UC3);
  for (int y = 0; y < image.rows; ++y) {
    const uint8_t* from = image.ptr(y);
    uint8_t* to = out.ptr(y);
    for (int x = 0; x < image.cols; ++x, from += 4, to += 3) {
      const int alpha = from[3];
      for (int c = 0; c < 3; ++c)
        to[c] = static_cast<uint8_t>((from[c] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
  }
  return out;
}

std::optional<Failure> decode_pixels(Bytes image, const ImageHeader& header, Clock::time_point deadline,
                                     cv::Mat& out) {
  const cv::Size size(header.width, header.height);
  switch (header.format) {
    case Format::kJpeg:
      return decode_jpeg(image, size, deadline, out);
    case Format::kPng:
      return decode_png(image, size, deadline, out);
    case Format::kWebp:
      return decode_webp(image, size, deadline, out);
  }
  return failure_of(Stop::kDamaged);
}

}  // namespace

std::optional<Failure> failure_of(Stop stop) {
  switch (stop) {
    case Stop::kNone:
      return std::nullopt;
    case Stop::kDamaged:
      return Failure{FailureCode::kUnreadableImage, "the picture's data is damaged"};
    case Stop::kTimeout:
      return Failure{FailureCode::kDecodeTimeout, "the time limit passed while decoding"};
  }
  return std::nullopt;
}

cv::Mat upright(const cv::Mat& image, int orientation) {
  cv::Mat turned = image, out;
  if (orientation >= 5)
    cv::transpose(image, turned);  // 5 transpose, 6 clockwise, 7 transverse, 8 the other way
  switch (orientation) {
    case 2:
    case 6:
      cv::flip(turned, out, 1);
      return out;
    case 3:
    case 7:
      cv::flip(turned, out, -1);
      return out;
    case 4:
    case 8:
      cv::flip(turned, out, 0);
      return out;
    default:
      return turned;
  }
}

std::optional<Failure> decode(Bytes image, const Limits& limits, cv::Mat& out) {
  if (image.size() > limits.max_bytes)
    return Failure{FailureCode::kImageTooLarge, std::to_string(image.size()) + " bytes, at most " +
                                                    std::to_string(limits.max_bytes) + " are accepted"};
  ImageHeader header;
  if (std::optional<Failure> failure = read_header(image, header)) return failure;
  if (std::optional<Failure> failure = check_size(header, limits)) return failure;
  try {
    cv::Mat stored;
    const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(limits.decode_ms);
    if (std::optional<Failure> failure = decode_pixels(image, header, deadline, stored)) return failure;
    out = upright(stored.channels() == 4 ? composite(stored) : stored, header.orientation);
    return std::nullopt;
  } catch (const std::exception&) {  // memory, or OpenCV
    return Failure{FailureCode::kUnreadableImage, "the decoder gave up"};
  }
}

}  // namespace visage::capture
