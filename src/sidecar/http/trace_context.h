// W3C Trace Context: which larger operation a request belongs to, so that the logs of several services can be
// read as one.
//
// visaged is an end: services of others that it asks are not told, so tracestate is not looked at and not
// passed on.
#pragma once

#include <string>
#include <string_view>

namespace visage::sidecar::http {

struct TraceContext {
  std::string trace_id;  // 32 hexadecimal digits
  std::string span_id;   // 16, ours: the caller's is the parent
  bool sampled = false;

  // "00-<trace id>-<span id>-<flags>"
  std::string text() const;
};

TraceContext new_trace();
// Goes on with the caller's trace, or begins one where `traceparent` is not well-formed, as the
// recommendation asks (section 3.2, 4.3).
TraceContext continue_trace(std::string_view traceparent);

}  // namespace visage::sidecar::http
