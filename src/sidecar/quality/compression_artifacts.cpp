// CompressionArtifacts (0x4a) from the quantisation table of a JPEG, not by OFIQ's network: the quality
// (1…100) at which the Independent JPEG Group's encoder would have written it. Undetermined for other files.
#include "sidecar/capture/metadata.h"
#include "sidecar/quality/measures.h"

namespace visage::quality {
namespace {

// Annex K.1 of ITU-T T.81, luminance, in zigzag order.
constexpr uint8_t kStandard[64] = {16, 11, 12,  14,  12,  10, 16, 14,  13,  14,  18,  17,  16, 19,  24,  40,
                                   26, 24, 22,  22,  24,  49, 35, 37,  29,  40,  58,  51,  61, 60,  57,  51,
                                   56, 55, 64,  72,  92,  78, 64, 68,  87,  69,  55,  56,  80, 109, 81,  87,
                                   95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99};

// Table number 0, which luminance uses, when this DQT segment has it.
bool table_in(Bytes tables, std::array<int, 64>& out) {
  while (!tables.empty()) {
    const size_t width = tables[0] >> 4 == 0 ? 1 : 2;
    if (tables.size() < 1 + 64 * width) return false;
    if ((tables[0] & 15) == 0) {
      for (size_t i = 0; i < 64; ++i)
        out[i] = width == 1 ? tables[1 + i] : tables[1 + 2 * i] << 8 | tables[2 + 2 * i];
      return true;
    }
    tables = tables.subspan(1 + 64 * width);
  }
  return false;
}

bool luminance_table(Bytes jpeg, std::array<int, 64>& out) {
  constexpr uint8_t kDqt = 0xdb;
  bool found = false;
  capture::for_jpeg_segments(jpeg, [&](uint8_t marker, Bytes payload) {
    found = marker == kDqt && table_in(payload, out);
    return !found;
  });
  return found;
}

}  // namespace

Reading compression_artifacts(const View& view) {
  std::array<int, 64> table{};
  if (!luminance_table(view.scene.file, table)) return undetermined();
  // The encoder scales the standard table by s per cent: s = 5000/q below 50, 200 − 2q from there.
  // Baseline entries stop at 1 and 255, and those that were stopped say nothing about s.
  double sum = 0, standard = 0;
  for (size_t i = 0; i < 64; ++i) {
    if (table[i] <= 1 || table[i] >= 255) continue;
    sum += table[i];
    standard += kStandard[i];
  }
  if (standard == 0) return mapped(table[0] <= 1 ? 100 : 1, table[0] <= 1 ? 100 : 1);
  const double scale = 100 * sum / standard;
  const double quality = std::clamp(scale <= 100 ? (200 - scale) / 2 : 5000 / scale, 1.0, 100.0);
  return mapped(quality, quality);
}

}  // namespace visage::quality
