#include "sidecar/http/rate_limit.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace visage::sidecar::http {
namespace {
// More callers than a file lists only where any certificate of an authority may call.
constexpr size_t kTidyAt = 1024;
constexpr double kMostCalls = 1e6;
}  // namespace

bool parse_rate(std::string_view text, Rate& out) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view unit = text.substr(slash + 1);
  double calls = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + slash, calls);
  const bool number = error == std::errc() && end == text.data() + slash && calls > 0 && calls <= kMostCalls;
  if (!number || (unit != "s" && unit != "min")) return false;
  out.per_second = unit == "s" ? calls : calls / 60;
  return true;
}

unsigned RateLimiter::take(const std::string& caller, Rate rate, Clock::time_point now) {
  if (rate.per_second <= 0) return 0;
  const std::chrono::duration<double> interval(1 / rate.per_second);
  const std::chrono::duration<double> tolerance =
      std::max(std::chrono::duration<double>(1), interval) - interval;
  const std::lock_guard lock(mutex_);
  if (due_.size() >= kTidyAt) std::erase_if(due_, [now](const auto& entry) { return entry.second <= now; });
  Clock::time_point& due = due_.try_emplace(caller, now).first->second;
  const std::chrono::duration<double> early = std::max(due, now) - now - tolerance;
  // A hair of rounding must not turn the last call of a burst away.
  if (early.count() > 1e-9) return static_cast<unsigned>(std::max(1.0, std::ceil(early.count())));
  due = std::max(due, now) + std::chrono::duration_cast<Clock::duration>(interval);
  return 0;
}

}  // namespace visage::sidecar::http
