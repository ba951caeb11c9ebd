// PNG with its checksums made right first, so that a mutation reaches what they protect: libpng stops at a
// wrong one and a fuzzer cannot guess 32 bits.
#include <vector>

#include "image.h"

namespace {

uint32_t crc32(const uint8_t* bytes, size_t size) {  // ISO 3309
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < size; ++i) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

}  // namespace

VISAGE_FUZZ_TARGET(image_png) {
  if (input.size() > 4096) return;
  std::vector<uint8_t> image(input.begin(), input.end());
  for (size_t at = 8; at + 12 <= image.size();) {
    const size_t length = static_cast<size_t>(image[at]) << 24 | static_cast<size_t>(image[at + 1]) << 16 |
                          static_cast<size_t>(image[at + 2]) << 8 | image[at + 3];
    if (length > image.size() - at - 12) break;
    const uint32_t crc = crc32(&image[at + 4], length + 4);
    for (size_t i = 0; i < 4; ++i) image[at + 8 + length + i] = static_cast<uint8_t>(crc >> (24 - 8 * i));
    at += 12 + length;
  }
  visage::fuzz::decode_within_limits(image);
}
