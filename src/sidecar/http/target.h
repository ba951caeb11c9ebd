// The path of a request target, as segments.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace visage::sidecar::http {

// "/v1/registrations/a%2Fb?x=1" → {"v1", "registrations", "a/b"}. False for bad escapes, and for segments
// that are not plain text. httplib decodes the whole path before anyone can split it, hence our own.
bool split_target(std::string_view target, std::vector<std::string>& segments);

// Percent-encodes everything but unreserved characters (RFC 3986 section 2.3).
std::string encode_segment(std::string_view segment);

}  // namespace visage::sidecar::http
