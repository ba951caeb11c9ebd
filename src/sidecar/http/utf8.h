// Text from outside, before it meets a C string or a log.
#pragma once

#include <string_view>

namespace visage::sidecar::http {

// Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates) without control characters, NUL among them.
// Tab and line ends are allowed: a JSON object may be indented.
bool is_plain_text(std::string_view text);

}  // namespace visage::sidecar::http
