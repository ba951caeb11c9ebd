// The caller's traceparent header.
#include "sidecar/http/trace_context.h"
#include "target.h"

VISAGE_FUZZ_TARGET(http_trace) {
  using namespace visage;
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const sidecar::http::TraceContext trace = sidecar::http::continue_trace(text);
  // It goes into logs, answers and the ledger: digits only, and taken over only from where it stood.
  const auto is_hex = [](std::string_view digits, size_t size) {
    return digits.size() == size && digits.find_first_not_of("0123456789abcdef") == digits.npos &&
           digits.find_first_not_of('0') != digits.npos;
  };
  fuzz::require(is_hex(trace.trace_id, 32) && is_hex(trace.span_id, 16) && trace.text().size() == 55);
  const bool well_formed = text.size() >= 55 && text[2] == '-' && text[35] == '-' && text[52] == '-';
  if (!well_formed) fuzz::require(text.size() < 35 || text.substr(3, 32) != trace.trace_id);
}
