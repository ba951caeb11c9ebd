#include "core/base/text_form.h"

#include <array>

namespace visage {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr size_t kChecksumSize = 4;

constexpr std::array<uint32_t, 256> make_crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) ? 0x82F63B78u : 0u);
    table[i] = value;
  }
  return table;
}

constexpr std::array<int8_t, 256> make_decode_table() {
  std::array<int8_t, 256> table{};
  for (auto& entry : table) entry = -1;
  for (int i = 0; i < 64; ++i) table[static_cast<uint8_t>(kAlphabet[i])] = static_cast<int8_t>(i);
  return table;
}

constexpr auto kCrcTable = make_crc_table();
constexpr auto kDecodeTable = make_decode_table();

Status not_base64(size_t position) {
  return Status::error(Code::kMalformed, "invalid base64 at character %zu", position + 1);
}

}  // namespace

uint32_t crc32c(Bytes bytes) {
  uint32_t crc = 0xFFFFFFFFu;
  for (uint8_t byte : bytes) crc = kCrcTable[(crc ^ byte) & 0xFF] ^ (crc >> 8);
  return crc ^ 0xFFFFFFFFu;
}

size_t encoded_text_size(size_t byte_count) {
  return (byte_count + kChecksumSize + 2) / 3 * 4;
}

void encode_text(Bytes bytes, char* out) {
  const uint32_t crc = crc32c(bytes);
  const size_t total = bytes.size() + kChecksumSize;
  auto at = [&](size_t i) -> uint32_t {
    return i < bytes.size() ? bytes[i] : (crc >> (8 * (i - bytes.size()))) & 0xFF;
  };
  for (size_t i = 0; i < total; i += 3) {
    const size_t left = total - i;
    uint32_t group = at(i) << 16;
    if (left > 1) group |= at(i + 1) << 8;
    if (left > 2) group |= at(i + 2);
    *out++ = kAlphabet[group >> 18];
    *out++ = kAlphabet[(group >> 12) & 63];
    *out++ = left > 1 ? kAlphabet[(group >> 6) & 63] : '=';
    *out++ = left > 2 ? kAlphabet[group & 63] : '=';
  }
}

size_t decoded_bound(size_t text_size) {
  return text_size / 4 * 3;
}

Status decode_text(std::string_view text, MutableBytes out, size_t& size) {
  size = 0;
  if (text.size() % 4 != 0 || text.size() < encoded_text_size(0))
    return Status::error(Code::kMalformed, "text of %zu characters is not padded base64 with a checksum",
                         text.size());
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
    for (size_t j = 0; j < 3 - padding; ++j) {
      if (written == out.size()) return Status::error(Code::kInternal, "text form exceeds its bound");
      out[written++] = static_cast<uint8_t>(group >> (16 - 8 * j));
    }
  }
  uint32_t stored;
  std::memcpy(&stored, out.data() + written - kChecksumSize, kChecksumSize);
  if (stored != crc32c({out.data(), written - kChecksumSize}))
    return Status::error(Code::kMalformed, "checksum differs: the text was altered or cut");
  size = written - kChecksumSize;
  return {};
}

}  // namespace visage
