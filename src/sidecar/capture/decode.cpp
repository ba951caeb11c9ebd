#include "sidecar/capture/decode.h"

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "sidecar/capture/jpeg_decode.h"

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

// Any depth and channel count that OpenCV's PNG and WebP readers give, to 8-bit BGR.
std::optional<Failure> to_bgr(cv::Mat image, cv::Mat& out) {
  if (image.depth() == CV_16U) {
    cv::Mat narrow;
    image.convertTo(narrow, CV_8U, 1.0 / 257);
    image = narrow;
  }
  if (image.depth() != CV_8U) return Failure{FailureCode::kUnsupportedFormat, "unknown sample depth"};
  switch (image.channels()) {
    case 1:
      cv::cvtColor(image, out, cv::COLOR_GRAY2BGR);
      return std::nullopt;
    case 3:
      out = image;
      return std::nullopt;
    case 4:
      out = composite(image);
      return std::nullopt;
    default:
      return Failure{FailureCode::kUnsupportedFormat, "unknown channel count"};
  }
}

std::optional<Failure> decode_pixels(Bytes image, const ImageHeader& header, Clock::time_point deadline,
                                     cv::Mat& out) {
  if (header.format == Format::kJpeg) {
    out.create(header.height, header.width, CV_8UC3);
    return decode_jpeg(image, deadline, out);
  }
  // PNG and WebP cost at most a few times their pixel count, which check_size() has bounded.
  const cv::Mat bytes(1, static_cast<int>(image.size()), CV_8U, const_cast<uint8_t*>(image.data()));
  const cv::Mat decoded = cv::imdecode(bytes, cv::IMREAD_UNCHANGED);
  if (decoded.cols != header.width || decoded.rows != header.height)
    return Failure{FailureCode::kUnreadableImage, "the picture's data is damaged"};
  if (Clock::now() > deadline)
    return Failure{FailureCode::kDecodeTimeout, "the time limit passed while decoding"};
  return to_bgr(decoded, out);
}

}  // namespace

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
    out = upright(stored, header.orientation);
    return std::nullopt;
  } catch (
      const std::exception&) {  // cv::Exception, std::bad_alloc; its text may quote paths, so it is dropped
    return Failure{FailureCode::kUnreadableImage, "the decoder gave up"};
  }
}

}  // namespace visage::capture
