#include "sidecar/adapter/url.h"

#include <algorithm>

namespace visage::sidecar::adapter {

Status parse_url(std::string_view text, Url& out) {
  constexpr std::string_view kScheme = "https://";
  const Status wrong =
      Status::error(Code::kInvalidArgument, "it is https://host[:port]/path and nothing behind it");
  if (!text.starts_with(kScheme)) return wrong;
  text.remove_prefix(kScheme.size());
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0) return wrong;
  std::string_view host = text.substr(0, slash);
  out.path = text.substr(slash);
  out.port = "443";
  const bool bracketed = host.starts_with('[');
  const size_t end = bracketed ? host.find(']') : host.find(':');
  if (bracketed && end == std::string_view::npos) return wrong;
  const std::string_view rest = end == std::string_view::npos ? "" : host.substr(bracketed ? end + 1 : end);
  host = host.substr(bracketed ? 1 : 0, bracketed ? end - 1 : end);
  if (!rest.empty()) {
    out.port = rest.substr(1);
    if (rest[0] != ':' || out.port.empty() || out.port.size() > 5 ||
        out.port.find_first_not_of("0123456789") != std::string::npos)
      return wrong;
  }
  out.host = host;
  const auto graphic = [](unsigned char c) { return c > 0x20 && c < 0x7f; };
  if (out.host.empty() || out.host.find('@') != std::string::npos ||
      out.path.find_first_of("?#") != std::string::npos ||
      !std::all_of(out.host.begin(), out.host.end(), graphic) ||
      !std::all_of(out.path.begin(), out.path.end(), graphic))
    return wrong;
  return {};
}

}  // namespace visage::sidecar::adapter
