#include "sidecar/http/json_reader.h"

#include <algorithm>
#include <charconv>

namespace visage::sidecar::http {
namespace {

// The quote that ends the string whose first character is text[0]; npos when none does, or when a control
// character stands before it.
size_t find_end(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') return i;
    if (static_cast<unsigned char>(text[i]) < 0x20) return std::string_view::npos;
    if (text[i] == '\\') ++i;
  }
  return std::string_view::npos;
}

bool take_unit(std::string_view& text, uint32_t& unit) {
  if (text.size() < 4) return false;
  const char* const end = text.data() + 4;
  // from_chars() takes a minus sign, which is no hexadecimal digit.
  if (text[0] == '-' || std::from_chars(text.data(), end, unit, 16).ptr != end) return false;
  text.remove_prefix(4);
  return true;
}

// What follows "\u": a code point, of two units when it is beyond the basic plane.
bool take_unicode(std::string_view& text, uint32_t& point) {
  if (!take_unit(text, point)) return false;
  if (point < 0xd800 || point > 0xdfff) return true;
  uint32_t low = 0;
  if (point > 0xdbff || !text.starts_with("\\u")) return false;
  text.remove_prefix(2);
  if (!take_unit(text, low) || low < 0xdc00 || low > 0xdfff) return false;
  point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
  return true;
}

void append_utf8(uint32_t point, WipedString& out) {
  const auto put = [&out](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) return put(point);
  if (point >= 0x10000) {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
  } else if (point >= 0x800) {
    put(0xe0 | point >> 12);
  }
  if (point >= 0x800)
    put(0x80 | (point >> 6 & 0x3f));
  else
    put(0xc0 | point >> 6);
  put(0x80 | (point & 0x3f));
}

// The character after a backslash, and what belongs to it.
bool take_escape(std::string_view& text, WipedString& out) {
  constexpr std::string_view kMarks = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
  const char mark = text.front();
  text.remove_prefix(1);
  if (mark == 'u') {
    uint32_t point = 0;
    if (!take_unicode(text, point)) return false;
    append_utf8(point, out);
    return true;
  }
  const size_t at = kMarks.find(mark);
  if (at == std::string_view::npos) return false;
  out.push_back(kMeanings[at]);
  return true;
}

}  // namespace

void JsonReader::skip_space() {
  rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
}

bool JsonReader::next_is(char mark) {
  skip_space();
  return rest_.starts_with(mark);
}

bool JsonReader::take(char mark) {
  if (!next_is(mark)) return false;
  rest_.remove_prefix(1);
  return true;
}

bool JsonReader::at_end() {
  skip_space();
  return rest_.empty();
}

bool JsonReader::take_string(WipedString& out) {
  if (!next_is('"')) return false;
  const size_t end = find_end(rest_.substr(1));
  if (end == std::string_view::npos) return false;
  std::string_view text = rest_.substr(1, end);
  out.clear();
  // Never inside the object itself, which nobody wipes: a one-time code has six characters.
  out.reserve(std::max(text.size(), sizeof(WipedString)));
  while (!text.empty()) {
    const size_t plain = std::min(text.find('\\'), text.size());
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    text.remove_prefix(1);
    if (!take_escape(text, out)) return false;
  }
  rest_.remove_prefix(end + 2);
  return true;
}

bool JsonReader::take_object(std::string_view& out) {
  if (!next_is('{')) return false;
  size_t depth = 0;
  for (size_t i = 0; i < rest_.size(); ++i) {
    const char c = rest_[i];
    if (c == '"') {
      const size_t end = find_end(rest_.substr(i + 1));
      if (end == std::string_view::npos) return false;
      i += end + 1;
    }
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) {
      out = rest_.substr(0, i + 1);
      rest_.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

}  // namespace visage::sidecar::http
