// How often a caller may call.
//
// The generic cell rate algorithm (ITU-T I.371 annex A): one time a caller instead of a history of calls. A
// caller may spend a second's worth at once, and goes on at its rate.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "sidecar/http/connection.h"

namespace visage::sidecar::http {

struct Rate {
  double per_second = 0;  // 0: no limit
};

// "20/s" or "90/min"; false when it is neither.
bool parse_rate(std::string_view text, Rate& out);

class RateLimiter {
 public:
  // 0 when the call may go on, else the whole seconds after which the next may. Thread-safe.
  unsigned take(const std::string& caller, Rate rate, Clock::time_point now);

 private:
  std::mutex mutex_;
  // When the next call of a caller would be on time; past: it has called less than it may.
  std::map<std::string, Clock::time_point> due_;
};

}  // namespace visage::sidecar::http
