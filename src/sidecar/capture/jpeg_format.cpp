// JPEG's markers (ITU-T T.81 annex B) from SOI to EOI.
#include <cstring>

#include "sidecar/capture/format.h"

namespace visage::capture {
namespace {

constexpr uint8_t kSoi = 0xd8, kEoi = 0xd9, kSos = 0xda, kApp1 = 0xe1;

bool is_frame(uint8_t marker) {  // SOF0…SOF15 without DHT, JPG, DAC
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}
bool is_bare(uint8_t marker) {  // TEM and RST0…RST7 have no length
  return marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7);
}

// Position of the next marker's 0xff after entropy-coded data: not a stuffed zero, not a restart.
size_t skip_scan(Bytes image, size_t at) {
  while (at + 1 < image.size()) {
    const void* found = std::memchr(image.data() + at, 0xff, image.size() - at);
    if (found == nullptr) break;
    at = static_cast<size_t>(static_cast<const uint8_t*>(found) - image.data());
    if (at + 1 >= image.size()) break;
    const uint8_t next = image[at + 1];
    if (next == 0xff) {
      at += 1;  // fill byte
    } else if (next == 0 || is_bare(next)) {
      at += 2;
    } else {
      return at;
    }
  }
  return image.size();
}

}  // namespace

bool walk_jpeg(Bytes image, Walk& out) {
  size_t at = 2;
  bool framed = false, scanned = false;
  while (true) {
    if (at + 2 > image.size()) {
      out.reason = "the JPEG ends before its end marker";
      return false;
    }
    if (image[at] != 0xff) {
      out.reason = "the JPEG's marker chain is broken";
      return false;
    }
    const uint8_t marker = image[at + 1];
    if (marker == 0xff) {  // fill byte
      at += 1;
      continue;
    }
    at += 2;
    if (marker == kEoi) {
      out.reason = "the JPEG has no picture";
      return framed && scanned;
    }
    if (marker == kSoi || is_bare(marker)) continue;
    if (at + 2 > image.size()) continue;
    const size_t length = static_cast<size_t>(image[at] << 8 | image[at + 1]);
    if (length < 2 || length > image.size() - at) {
      out.reason = "a JPEG segment reaches past the end of the file";
      return false;
    }
    const Bytes segment = image.subspan(at + 2, length - 2);
    at += length;
    if (is_frame(marker)) {
      if (framed || segment.size() < 6) {
        out.reason = "the JPEG's frame header is damaged";
        return false;
      }
      framed = true;
      out.header.height = segment[1] << 8 | segment[2];
      out.header.width = segment[3] << 8 | segment[4];
    } else if (marker == kApp1 && segment.size() > 6 && std::memcmp(segment.data(), "Exif\0\0", 6) == 0) {
      out.header.orientation = exif_orientation(segment.subspan(6));
    } else if (marker == kSos) {
      if (!framed) {
        out.reason = "the JPEG's scan comes before its frame";
        return false;
      }
      scanned = true;
      at = skip_scan(image, at);
    }
  }
}

}  // namespace visage::capture
