#include "sidecar/http/base64.h"

#include <array>

namespace visage::sidecar::http {
namespace {

constexpr uint8_t kNone = 0xff;

constexpr std::array<uint8_t, 256> make_table() {
  std::array<uint8_t, 256> table{};
  for (auto& entry : table) entry = kNone;
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < kAlphabet.size(); ++i)
    table[static_cast<uint8_t>(kAlphabet[i])] = static_cast<uint8_t>(i);
  return table;
}
constexpr auto kTable = make_table();

}  // namespace

bool decode_base64(std::string_view text, WipedBytes& out) {
  if (text.size() % 4 != 0) return false;
  size_t padding = 0;
  while (padding < 2 && !text.empty() && text.back() == '=') {
    text.remove_suffix(1);
    ++padding;
  }
  out.clear();
  out.reserve(text.size() / 4 * 3 + 3);
  uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const uint8_t value = kTable[static_cast<uint8_t>(c)];
    if (value == kNone) return false;
    bits = bits << 6 | value;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<uint8_t>(bits >> held));
    }
  }
  // Bits that no byte carries must be zero, or two texts would mean the same picture.
  return (bits & ((1U << held) - 1)) == 0;
}

}  // namespace visage::sidecar::http
