// Tells who calls: by client certificate (mutual TLS) or bearer token (RFC 6750).
#pragma once

#include <functional>
#include <memory>

#include "sidecar/http/callers.h"
#include "sidecar/http/exchange.h"

namespace visage::sidecar::http {

class Auth {
 public:
  // Without authentication everybody is "anyone"; only ever on loopback (app/settings_check.cpp).
  // `rate` is of every caller that has none of its own.
  static Auth open_door(Rate rate);
  Auth(Callers callers, Rate rate) : callers_(std::move(callers)), rate_(rate) {}

  // Sets exchange.caller. UNAUTHENTICATED when it is not known who calls, RATE_LIMITED when it calls too
  // often, FORBIDDEN when the route is not theirs, or when a page of another site sent a browser here. A
  // certificate decides when both are presented and the certificate is listed.
  Failure check(Exchange& exchange) const;
  // The same; `may` says which other routes are the caller's.
  Failure check(Exchange& exchange, std::function<bool(std::string_view)>& may) const;
  // The same without asking for a right.
  Failure identify(Exchange& exchange, std::function<bool(std::string_view)>& may) const;

 private:
  Auth() = default;
  Failure check_rate(const std::string& caller, Rate rate) const;

  Callers callers_;
  Rate rate_;
  std::unique_ptr<RateLimiter> limiter_ = std::make_unique<RateLimiter>();
  bool open_ = false;
};

}  // namespace visage::sidecar::http
