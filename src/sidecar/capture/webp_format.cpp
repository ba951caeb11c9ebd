// WebP's RIFF chunks (RFC 9649): VP8 (lossy), VP8L (lossless) or VP8X (extended) with one of them inside.
#include <cstring>

#include "sidecar/capture/format.h"

namespace visage::capture {
namespace {

uint32_t little_endian(Bytes bytes, size_t at, size_t size) {
  uint32_t value = 0;
  for (size_t i = 0; i < size; ++i) value |= static_cast<uint32_t>(bytes[at + i]) << (8 * i);
  return value;
}
bool is_chunk(Bytes image, size_t at, const char* name) {
  return std::memcmp(image.data() + at, name, 4) == 0;
}

bool read_lossy(Bytes body, ImageHeader& header) {  // RFC 6386 9.1: frame tag, start code, 14-bit sides
  if (body.size() < 10 || (body[0] & 1) != 0 || std::memcmp(body.data() + 3, "\x9d\x01\x2a", 3) != 0)
    return false;
  header.width = static_cast<int>(little_endian(body, 6, 2) & 0x3fff);
  header.height = static_cast<int>(little_endian(body, 8, 2) & 0x3fff);
  return true;
}

bool read_lossless(Bytes body, ImageHeader& header) {  // RFC 9649 3.4: signature, two 14-bit sides minus one
  if (body.size() < 5 || body[0] != 0x2f) return false;
  const uint32_t bits = little_endian(body, 1, 4);
  header.width = static_cast<int>(bits & 0x3fff) + 1;
  header.height = static_cast<int>(bits >> 14 & 0x3fff) + 1;
  return true;
}

}  // namespace

bool walk_webp(Bytes image, Walk& out) {
  out.reason = "the WebP ends before its RIFF size";
  if (image.size() < 20) return false;
  const size_t riff = little_endian(image, 4, 4);
  if (riff > image.size() - 8) return false;
  const size_t end = 8 + riff;
  ImageHeader canvas;
  bool extended = false, picture = false;
  for (size_t at = 12; at + 8 <= end;) {
    const size_t length = little_endian(image, at + 4, 4);
    if (length > end - at - 8) {
      out.reason = "a WebP chunk reaches past the end of the file";
      return false;
    }
    const Bytes body = image.subspan(at + 8, length);
    bool readable = true;
    if (is_chunk(image, at, "VP8 ") && !picture) {
      picture = readable = read_lossy(body, out.header);
    } else if (is_chunk(image, at, "VP8L") && !picture) {
      picture = readable = read_lossless(body, out.header);
    } else if (is_chunk(image, at, "VP8X") && !extended) {
      extended = readable = length >= 10;
      if (readable) {
        out.animated = (body[0] & 0x02) != 0;
        canvas.width = static_cast<int>(little_endian(body, 4, 3)) + 1;
        canvas.height = static_cast<int>(little_endian(body, 7, 3)) + 1;
      }
    } else if (is_chunk(image, at, "ANMF") || is_chunk(image, at, "ANIM")) {
      out.animated = true;
    } else if (is_chunk(image, at, "EXIF")) {
      const bool prefixed = length > 6 && std::memcmp(body.data(), "Exif\0\0", 6) == 0;
      out.header.orientation = exif_orientation(prefixed ? body.subspan(6) : body);
    }
    if (!readable) {
      out.reason = "a WebP header chunk is damaged";
      return false;
    }
    at += 8 + length + (length & 1);
  }
  out.reason = "the WebP has no picture";
  if (extended && picture && (canvas.width != out.header.width || canvas.height != out.header.height)) {
    out.reason = "the WebP's canvas and picture differ in size";
    return false;
  }
  return picture;
}

}  // namespace visage::capture
