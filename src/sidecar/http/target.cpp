#include "sidecar/http/target.h"

#include <cctype>
#include <charconv>
#include <cstdio>

#include "sidecar/http/utf8.h"

namespace visage::sidecar::http {
namespace {

bool decode(std::string_view text, std::string& out) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    if (text.size() - i < 3 || !std::isxdigit(static_cast<unsigned char>(text[i + 1]))) return false;
    const auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
    if (error != std::errc() || end != text.data() + i + 3) return false;
    out += static_cast<char>(value);
    i += 2;
  }
  return is_plain_text(out);
}

}  // namespace

bool split_target(std::string_view target, std::vector<std::string>& segments) {
  target = target.substr(0, target.find_first_of("?#"));
  if (target.empty() || target.front() != '/') return false;
  while (!target.empty()) {
    target.remove_prefix(1);
    const std::string_view raw = target.substr(0, target.find('/'));
    std::string segment;
    if (!decode(raw, segment)) return false;
    segments.push_back(std::move(segment));
    target.remove_prefix(raw.size());
  }
  return true;
}

std::string encode_segment(std::string_view segment) {
  std::string text;
  for (const char c : segment) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~')) {
      text += c;
      continue;
    }
    char escape[4];
    std::snprintf(escape, sizeof escape, "%%%02X", byte);
    text += escape;
  }
  return text;
}

}  // namespace visage::sidecar::http
