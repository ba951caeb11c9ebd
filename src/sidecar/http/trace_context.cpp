#include "sidecar/http/trace_context.h"

#include <openssl/rand.h>

namespace visage::sidecar::http {
namespace {

constexpr size_t kTraceDigits = 32, kSpanDigits = 16;
constexpr size_t kLength = 55;  // of version 00
constexpr const char* kDigits = "0123456789abcdef";

std::string random_hex(size_t digits) {
  unsigned char bytes[kTraceDigits / 2] = {};
  // Not a secret; without randomness all lines carry the same id, which is better than no answer.
  if (RAND_bytes(bytes, static_cast<int>(digits / 2)) != 1) bytes[0] = 1;
  std::string text;
  for (size_t i = 0; i < digits / 2; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of(kDigits) == std::string_view::npos;  // lower case only (section 3.2.2)
}
bool is_id(std::string_view text) {
  return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

}  // namespace

std::string TraceContext::text() const {
  return "00-" + trace_id + "-" + span_id + (sampled ? "-01" : "-00");
}

TraceContext new_trace() {
  return {random_hex(kTraceDigits), random_hex(kSpanDigits), false};
}

TraceContext continue_trace(std::string_view text) {
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return new_trace();
  const std::string_view version = text.substr(0, 2), trace = text.substr(3, kTraceDigits),
                         parent = text.substr(36, kSpanDigits), flags = text.substr(53, 2);
  // A later version may have more after a dash; ff is none.
  const bool whole = text.size() == kLength || (version != "00" && text[kLength] == '-');
  if (!whole || !is_hex(version) || version == "ff" || !is_id(trace) || !is_id(parent) || !is_hex(flags))
    return new_trace();
  const bool sampled = (std::string_view(kDigits).find(flags[1]) & 1) != 0;
  return {std::string(trace), random_hex(kSpanDigits), sampled};
}

}  // namespace visage::sidecar::http
