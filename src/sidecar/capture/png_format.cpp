// PNG's chunks (W3C PNG, third edition, clause 5) from IHDR to IEND. Checksums are left to libpng.
#include <cstring>

#include "sidecar/capture/format.h"

namespace visage::capture {
namespace {

uint32_t big_endian(Bytes bytes) {
  return static_cast<uint32_t>(bytes[0]) << 24 | static_cast<uint32_t>(bytes[1]) << 16 |
         static_cast<uint32_t>(bytes[2]) << 8 | bytes[3];
}
bool is_chunk(Bytes type, const char* name) {
  return std::memcmp(type.data(), name, 4) == 0;
}

}  // namespace

bool walk_png(Bytes image, Walk& out) {
  constexpr uint32_t kMaxSide = 0x7fffffff;  // clause 11.2.1
  size_t at = 8;                             // after the signature
  bool data = false;
  for (bool first = true;; first = false) {
    if (image.size() < 12 || at > image.size() - 12) {
      out.reason = "the PNG ends before its end chunk";
      return false;
    }
    const size_t length = big_endian(image.subspan(at));
    const Bytes type = image.subspan(at + 4, 4);
    if (length > image.size() - at - 12) {
      out.reason = "a PNG chunk reaches past the end of the file";
      return false;
    }
    const Bytes body = image.subspan(at + 8, length);
    at += 12 + length;
    if (first != is_chunk(type, "IHDR") || (first && length != 13)) {
      out.reason = "the PNG's header chunk is damaged";
      return false;
    }
    if (first) {
      const uint32_t width = big_endian(body), height = big_endian(body.subspan(4));
      if (width > kMaxSide || height > kMaxSide) {
        out.reason = "the PNG states an impossible size";
        return false;
      }
      out.header.width = static_cast<int>(width);
      out.header.height = static_cast<int>(height);
    } else if (is_chunk(type, "eXIf")) {
      out.header.orientation = exif_orientation(body);
    } else if (is_chunk(type, "acTL")) {
      out.animated = true;
    } else if (is_chunk(type, "IDAT")) {
      data = true;
    } else if (is_chunk(type, "IEND")) {
      out.reason = "the PNG has no picture";
      return data;
    }
  }
}

}  // namespace visage::capture
