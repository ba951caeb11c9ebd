#include "sidecar/adapter/http_answer.h"

#include <strings.h>

#include <charconv>
#include <optional>
#include <string_view>

namespace visage::sidecar::adapter {
namespace {

constexpr size_t kMaxHead = 16 * 1024;

bool is_digits(std::string_view text, size_t least, size_t most) {
  return text.size() >= least && text.size() <= most &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool read_status(std::string_view line, int& out) {
  // "HTTP/1.1 200 OK"; the words may be missing.
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || line[8] != ' ') return false;
  if (line.size() > 12 && line[12] != ' ') return false;
  if (!is_digits(line.substr(9, 3), 3, 3) || !is_digits(line.substr(7, 1), 1, 1)) return false;
  std::from_chars(line.data() + 9, line.data() + 12, out);
  return out >= 100 && out <= 599;
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

// Two lengths, or one beside an encoding of the transfer, are how answers are made to mean two things.
bool read_headers(std::string_view lines, std::optional<size_t>& length) {
  while (!lines.empty()) {
    const size_t end = lines.find("\r\n");
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end + 2);
    const size_t colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos) return false;
    const std::string_view name = line.substr(0, colon), value = trimmed(line.substr(colon + 1));
    if (name.find_first_of(" \t") != std::string_view::npos) return false;
    if (same(name, "Transfer-Encoding") || same(name, "Content-Encoding")) return false;
    if (!same(name, "Content-Length")) continue;
    if (length || !is_digits(value, 1, 10)) return false;
    size_t number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    length = number;
  }
  return true;
}

}  // namespace

AnswerState look_at_answer(Bytes received, bool ended, HttpAnswer& out) {
  const std::string_view text(reinterpret_cast<const char*>(received.data()), received.size());
  const size_t blank = text.substr(0, kMaxHead).find("\r\n\r\n");
  if (blank == std::string_view::npos)
    return ended || text.size() >= kMaxHead ? AnswerState::kMalformed : AnswerState::kIncomplete;
  const std::string_view head = text.substr(0, blank + 2);
  const size_t first = head.find("\r\n");
  std::optional<size_t> length;
  HttpAnswer answer;
  if (!read_status(head.substr(0, first), answer.status) || !read_headers(head.substr(first + 2), length))
    return AnswerState::kMalformed;
  answer.body = received.subspan(blank + 4);
  if (length && answer.body.size() > *length) return AnswerState::kMalformed;
  const bool whole = length ? answer.body.size() == *length : ended;
  if (!whole) return ended ? AnswerState::kMalformed : AnswerState::kIncomplete;
  out = answer;
  return AnswerState::kComplete;
}

}  // namespace visage::sidecar::adapter
