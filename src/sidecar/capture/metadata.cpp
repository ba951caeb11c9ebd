#include "sidecar/capture/metadata.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace visage::capture {
namespace {

constexpr std::string_view kEditors[] = {
    "photoshop", "gimp",     "lightroom",   "snapseed",      "faceapp",    "facetune",
    "meitu",     "picsart",  "affinity",    "pixelmator",    "paint.net",  "krita",
    "canva",     "inkscape", "illustrator", "after effects", "midjourney", "stable diffusion",
    "dall-e",    "comfyui",  "openai",      "deepfacelab",   "faceswap",   "trainedalgorithmicmedia"};

char lower(uint8_t c) {
  return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
}

bool names_one(Bytes text) {
  return std::any_of(std::begin(kEditors), std::end(kEditors), [&](std::string_view word) {
    return std::search(text.begin(), text.end(), word.begin(), word.end(),
                       [](uint8_t a, char b) { return lower(a) == b; }) != text.end();
  });
}

uint32_t big_endian(Bytes file, size_t at) {
  return static_cast<uint32_t>(file[at]) << 24 | static_cast<uint32_t>(file[at + 1]) << 16 |
         static_cast<uint32_t>(file[at + 2]) << 8 | file[at + 3];
}

bool jpeg_names_editor(Bytes file) {
  bool found = false;
  for_jpeg_segments(file, [&](uint8_t marker, Bytes payload) {
    const bool application_or_comment = (marker >= 0xe0 && marker <= 0xef) || marker == 0xfe;
    found = application_or_comment && names_one(payload);
    return !found;
  });
  return found;
}

bool png_names_editor(Bytes file) {
  for (size_t at = 8; at + 8 <= file.size();) {
    const size_t size = big_endian(file, at);
    if (size > file.size() - at - 8) return false;
    if (std::memcmp(file.data() + at + 4, "IDAT", 4) != 0 && names_one(file.subspan(at + 8, size)))
      return true;
    at += 12 + size;
  }
  return false;
}

bool webp_names_editor(Bytes file) {
  for (size_t at = 12; at + 8 <= file.size();) {
    const size_t size = static_cast<size_t>(file[at + 7]) << 24 | static_cast<size_t>(file[at + 6]) << 16 |
                        static_cast<size_t>(file[at + 5]) << 8 | file[at + 4];
    if (size > file.size() - at - 8) return false;
    const bool picture =
        std::memcmp(file.data() + at, "VP8", 3) == 0 || std::memcmp(file.data() + at, "ALPH", 4) == 0;
    if (!picture && names_one(file.subspan(at + 8, size))) return true;
    at += 8 + size + size % 2;
  }
  return false;
}

}  // namespace

bool names_editor(Bytes file) {
  if (file.size() > 4 && file[0] == 0xff && file[1] == 0xd8) return jpeg_names_editor(file);
  if (file.size() > 8 && std::memcmp(file.data(), "\x89PNG", 4) == 0) return png_names_editor(file);
  if (file.size() > 12 && std::memcmp(file.data(), "RIFF", 4) == 0) return webp_names_editor(file);
  return false;
}

}  // namespace visage::capture
