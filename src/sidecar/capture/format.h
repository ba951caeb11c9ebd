// What an upload claims to be, read from its structure before anything is decoded.
//
// Input is hostile: every read is bounded, and a walk advances on every step. Walking the whole structure
// tells a truncated file from a whole one, which the decoders do not (a cut JPEG decodes into grey).
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/bytes.h"
#include "sidecar/capture/failure.h"

namespace visage::capture {

enum class Format : uint8_t { kJpeg, kPng, kWebp };

// Orientation as EXIF (CIPA DC-008, tag 0x0112) numbers it: 1 upright … 8; 1 when absent or nonsense.
struct ImageHeader {
  Format format;
  int width = 0, height = 0;  // px, as stored
  int orientation = 1;
};

// By the first bytes alone.
std::optional<Format> sniff(Bytes image);

// The header, or why the file will not be decoded: kUnsupportedFormat, kUnreadableImage.
std::optional<Failure> read_header(Bytes image, ImageHeader& out);

// One walker a format. False: truncated or damaged, `reason` says where. `animated` is set for animations.
struct Walk {
  ImageHeader header;
  bool animated = false;
  const char* reason = "";
};
bool walk_jpeg(Bytes image, Walk& out);
bool walk_png(Bytes image, Walk& out);
bool walk_webp(Bytes image, Walk& out);

// Orientation in a TIFF block, the payload of EXIF in all three formats.
int exif_orientation(Bytes tiff);

}  // namespace visage::capture
