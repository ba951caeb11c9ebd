#include "sidecar/capture/format.h"

#include <cstring>

namespace visage::capture {
namespace {

bool starts_with(Bytes image, size_t offset, std::string_view magic) {
  return image.size() >= offset + magic.size() &&
         std::memcmp(image.data() + offset, magic.data(), magic.size()) == 0;
}

}  // namespace

std::optional<Format> sniff(Bytes image) {
  if (starts_with(image, 0, "\xff\xd8\xff")) return Format::kJpeg;
  if (starts_with(image, 0, std::string_view("\x89PNG\r\n\x1a\n", 8))) return Format::kPng;
  if (starts_with(image, 0, "RIFF") && starts_with(image, 8, "WEBP")) return Format::kWebp;
  return std::nullopt;
}

std::optional<Failure> read_header(Bytes image, ImageHeader& out) {
  const std::optional<Format> format = sniff(image);
  if (!format) return Failure{FailureCode::kUnsupportedFormat, "accepted formats: JPEG, PNG, WebP"};
  Walk walk;
  walk.header.format = *format;
  bool whole = false;
  switch (*format) {
    case Format::kJpeg:
      whole = walk_jpeg(image, walk);
      break;
    case Format::kPng:
      whole = walk_png(image, walk);
      break;
    case Format::kWebp:
      whole = walk_webp(image, walk);
      break;
  }
  if (walk.animated) return Failure{FailureCode::kUnsupportedFormat, "an animation is not a still picture"};
  if (!whole) return Failure{FailureCode::kUnreadableImage, walk.reason};
  if (walk.header.width < 1 || walk.header.height < 1)
    return Failure{FailureCode::kUnreadableImage, "the header states an empty image"};
  out = walk.header;
  return std::nullopt;
}

}  // namespace visage::capture
