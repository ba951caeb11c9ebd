// multipart/form-data: RFC 7578 over RFC 2046 section 5.1.
//
// Strict on purpose: CRLF only, no preamble, no nested parts, no transfer encodings. Contents are views into
// the body.
#include <strings.h>

#include <algorithm>

#include "sidecar/http/form.h"

namespace visage::sidecar::http {
namespace {

constexpr size_t kMaxParts = 16;
constexpr size_t kMaxPartHeaders = 4096;
constexpr size_t kMaxBoundary = 70;  // RFC 2046

Failure malformed(const char* what) {
  return Problem{ProblemCode::kMalformedMultipart,
                 std::string(what) + " Let an HTTP library build the body."};
}

// The value of name="…" in a Content-Disposition value; browsers write a quote as %22 (RFC 7578 section 2).
bool find_name(std::string_view disposition, WipedString& name) {
  constexpr std::string_view kForm = "form-data";
  if (disposition.size() < kForm.size() || strncasecmp(disposition.data(), kForm.data(), kForm.size()) != 0)
    return false;
  size_t at = kForm.size();
  bool found = false;
  while (at < disposition.size()) {
    at = disposition.find_first_not_of("; \t", at);
    if (at == std::string_view::npos) break;
    const size_t equals = disposition.find('=', at);
    if (equals == std::string_view::npos) return false;
    const std::string_view key = disposition.substr(at, equals - at);
    std::string_view value;
    at = equals + 1;
    if (at < disposition.size() && disposition[at] == '"') {
      const size_t end = disposition.find('"', at + 1);
      if (end == std::string_view::npos) return false;
      value = disposition.substr(at + 1, end - at - 1);
      at = end + 1;
    } else {
      const size_t end = std::min(disposition.find_first_of("; \t", at), disposition.size());
      value = disposition.substr(at, end - at);
      at = end;
    }
    if (key != "name") continue;
    if (found) return false;
    name = value;
    found = true;
  }
  return found;
}

Failure parse_part_headers(std::string_view headers, WipedString& name) {
  bool disposition = false;
  while (!headers.empty()) {
    const size_t end = std::min(headers.find("\r\n"), headers.size());
    const std::string_view line = headers.substr(0, end);
    headers.remove_prefix(std::min(end + 2, headers.size()));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return malformed("A part has a header line without a colon.");
    const std::string_view key = line.substr(0, colon);
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    const auto is = [key](std::string_view word) {
      return key.size() == word.size() && strncasecmp(key.data(), word.data(), word.size()) == 0;
    };
    if (is("Content-Disposition")) {
      if (disposition || !find_name(value, name))
        return malformed("A part's Content-Disposition has no one name.");
      disposition = true;
    } else if (is("Content-Transfer-Encoding") && value != "binary" && value != "8bit" && value != "7bit") {
      return malformed("Content-Transfer-Encoding is not used in form data (RFC 7578 section 4.7).");
    }
  }
  return disposition ? Failure() : malformed("A part has no Content-Disposition.");
}

}  // namespace

Failure parse_multipart(std::string_view boundary, Bytes body, Form& out) {
  if (boundary.empty() || boundary.size() > kMaxBoundary)
    return malformed("Content-Type needs a boundary of 1 to 70 characters.");
  std::string_view rest = as_text(body);
  const std::string opening = "--" + std::string(boundary);
  const std::string delimiter = "\r\n" + opening;
  if (!rest.starts_with(opening)) return malformed("The body does not start with the boundary.");
  rest.remove_prefix(opening.size());
  for (size_t count = 0;; ++count) {
    if (rest.starts_with("--")) return {};
    if (count == kMaxParts) return malformed("There are too many parts.");
    if (!rest.starts_with("\r\n")) return malformed("A boundary is not followed by a line end.");
    rest.remove_prefix(2);
    const size_t blank = rest.substr(0, kMaxPartHeaders).find("\r\n\r\n");
    if (blank == std::string_view::npos) return malformed("A part's headers do not end.");
    WipedString name;
    VISAGE_HTTP_TRY(parse_part_headers(rest.substr(0, blank), name));
    rest.remove_prefix(blank + 4);
    // memmem: a picture is megabytes, and string_view::find starts over at every carriage return.
    const void* hit = memmem(rest.data(), rest.size(), delimiter.data(), delimiter.size());
    if (hit == nullptr) return malformed("The body ends inside a part.");
    const size_t size = static_cast<size_t>(static_cast<const char*>(hit) - rest.data());
    VISAGE_HTTP_TRY(out.add(name, as_bytes(rest.substr(0, size))));
    rest.remove_prefix(size + delimiter.size());
  }
}

}  // namespace visage::sidecar::http
