// Tells who calls: by client certificate (mutual TLS) or bearer token (RFC 6750).
#pragma once

#include "sidecar/http/callers.h"
#include "sidecar/http/exchange.h"

namespace visage::sidecar::http {

class Auth {
 public:
  // Without authentication everybody is "anyone"; only ever on loopback (app/settings_check.cpp).
  static Auth open_door();
  explicit Auth(Callers callers) : callers_(std::move(callers)) {}

  // Sets exchange.caller. UNAUTHENTICATED when it is not known who calls, FORBIDDEN when it is known and the
  // route is not theirs. A certificate decides when both are presented and the certificate is listed.
  Failure check(Exchange& exchange) const;

 private:
  Auth() = default;

  Callers callers_;
  bool open_ = false;
};

}  // namespace visage::sidecar::http
