#include "core/base/base64.h"

#include <array>

namespace visage {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> make_decode_table() {
  std::array<int8_t, 256> table{};
  for (auto& entry : table) entry = -1;
  for (int i = 0; i < 64; ++i) table[static_cast<uint8_t>(kAlphabet[i])] = static_cast<int8_t>(i);
  return table;
}

constexpr auto kDecodeTable = make_decode_table();

Status not_base64(size_t position) {
  return Status::error(Code::kMalformed, "invalid base64 at character %zu", position + 1);
}

}  // namespace

void encode_base64(Bytes bytes, char* out) {
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t left = bytes.size() - i;
    uint32_t group = static_cast<uint32_t>(bytes[i]) << 16;
    if (left > 1) group |= static_cast<uint32_t>(bytes[i + 1]) << 8;
    if (left > 2) group |= bytes[i + 2];
    *out++ = kAlphabet[group >> 18];
    *out++ = kAlphabet[(group >> 12) & 63];
    *out++ = left > 1 ? kAlphabet[(group >> 6) & 63] : '=';
    *out++ = left > 2 ? kAlphabet[group & 63] : '=';
  }
}

Status decode_base64(std::string_view text, MutableBytes out, size_t& size) {
  size = 0;
  if (text.size() % 4 != 0) return not_base64(text.size());
  size_t written = 0;
  for (size_t i = 0; i < text.size(); i += 4) {
    size_t padding = 0;
    if (i + 4 == text.size()) padding = text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
    uint32_t group = 0;
    for (size_t j = 0; j < 4; ++j) {
      const int value = j >= 4 - padding ? 0 : kDecodeTable[static_cast<uint8_t>(text[i + j])];
      if (value < 0) return not_base64(i + j);
      group = group << 6 | static_cast<uint32_t>(value);
    }
    // Unused bits must be zero, or two texts would mean the same bytes.
    if ((padding == 1 && (group & 0xFF) != 0) || (padding == 2 && (group & 0xFFFF) != 0))
      return not_base64(i + 3);
    if (out.size() - written < 3 - padding)
      return Status::error(Code::kInternal, "base64 exceeds its buffer");
    for (size_t j = 0; j < 3 - padding; ++j) out[written++] = static_cast<uint8_t>(group >> (16 - 8 * j));
  }
  size = written;
  return {};
}

}  // namespace visage
