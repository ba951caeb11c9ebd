// The bytes of a picture's file that hold no picture.
#pragma once

#include "core/base/bytes.h"

namespace visage::capture {

// Calls take(marker, payload) for each segment of a JPEG before its first scan, until that returns false.
// Nothing for other files; stops where the chain of markers breaks.
template <typename Take>
void for_jpeg_segments(Bytes file, Take take) {
  if (file.size() < 4 || file[0] != 0xff || file[1] != 0xd8) return;
  for (size_t at = 2; at + 4 <= file.size() && file[at] == 0xff;) {
    const uint8_t marker = file[at + 1];
    if (marker == 0xff) {  // a fill byte
      ++at;
      continue;
    }
    if (marker == 0xda || marker == 0xd9) return;
    const size_t size = static_cast<size_t>(file[at + 2] << 8 | file[at + 3]);
    if (size < 2 || size > file.size() - at - 2) return;
    if (!take(marker, file.subspan(at + 4, size - 2))) return;
    at += 2 + size;
  }
}

// Whether the metadata of a JPEG, PNG or WebP names a program that edits or makes pictures. Metadata is easy
// to remove: a match convicts, no match proves nothing.
bool names_editor(Bytes file);

}  // namespace visage::capture
