#include "sidecar/capture/format.h"

namespace visage::capture {
namespace {

constexpr uint16_t kOrientationTag = 0x0112;
constexpr uint16_t kTypeShort = 3;
constexpr size_t kEntrySize = 12;

// TIFF 6.0 numbers, in the byte order that the block declares. Reads past the end give 0.
struct Tiff {
  Bytes bytes;
  bool big;

  uint32_t number(size_t at, size_t size) const {
    if (at > bytes.size() || size > bytes.size() - at) return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < size; ++i)
      value |= static_cast<uint32_t>(bytes[at + i]) << (8 * (big ? size - 1 - i : i));
    return value;
  }
};

}  // namespace

int exif_orientation(Bytes tiff) {
  if (tiff.size() < 8) return 1;
  const bool big = tiff[0] == 'M' && tiff[1] == 'M';
  const bool little = tiff[0] == 'I' && tiff[1] == 'I';
  const Tiff block{tiff, big};
  if ((!big && !little) || block.number(2, 2) != 42) return 1;
  const size_t directory = block.number(4, 4);
  const size_t entries = block.number(directory, 2);
  for (size_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + i * kEntrySize;
    if (entry + kEntrySize > tiff.size()) break;
    if (block.number(entry, 2) != kOrientationTag) continue;
    const uint32_t value = block.number(entry + 8, 2);
    return block.number(entry + 2, 2) == kTypeShort && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace visage::capture
