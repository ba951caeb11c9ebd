#include "sidecar/http/auth.h"

#include <strings.h>

#include "sidecar/http/tls.h"

namespace visage::sidecar::http {
namespace {

// The token of the one Authorization header, or empty.
std::string_view bearer_token(const httplib::Request& request) {
  if (request.get_header_value_count("Authorization") != 1) return {};
  const std::string_view value = request.headers.find("Authorization")->second;
  constexpr std::string_view kScheme = "Bearer ";
  if (value.size() <= kScheme.size() || strncasecmp(value.data(), kScheme.data(), kScheme.size()) != 0)
    return {};
  return value.substr(kScheme.size());
}

// A browser with a certificate shows it to us whoever's page asked for it. It says which page did (W3C Fetch
// Metadata); nobody else sends this header.
bool sent_by_another_site(const httplib::Request& request) {
  const std::string site = request.get_header_value("Sec-Fetch-Site");
  return !site.empty() && site != "same-origin" && site != "none";
}

}  // namespace

Auth Auth::open_door(Rate rate) {
  Auth auth;
  auth.open_ = true;
  auth.rate_ = rate;
  return auth;
}

Failure Auth::check_rate(const std::string& caller, Rate rate) const {
  const unsigned wait = limiter_->take(caller, rate, Clock::now());
  if (wait == 0) return {};
  return Problem{ProblemCode::kRateLimited, "Call less often; try again after Retry-After.", wait};
}

Failure Auth::check(Exchange& exchange) const {
  std::function<bool(std::string_view)> may;
  return check(exchange, may);
}

Failure Auth::check(Exchange& exchange, std::function<bool(std::string_view)>& may) const {
  VISAGE_HTTP_TRY(identify(exchange, may));
  if (may(exchange.route)) return {};
  return Problem{ProblemCode::kForbidden, "The caller is known, but \"" + std::string(exchange.route) +
                                              "\" is not among its routes in the callers file."};
}

Failure Auth::identify(Exchange& exchange, std::function<bool(std::string_view)>& may) const {
  if (sent_by_another_site(*exchange.request))
    return Problem{ProblemCode::kForbidden, "A page of another site may not call."};
  if (open_) {
    exchange.caller = "anyone";
    may = [](std::string_view) { return true; };
    return check_rate(exchange.caller, rate_);
  }
  const std::string certificate = peer_name(exchange.connection.tls());
  const Caller* caller = certificate.empty() ? nullptr : callers_.by_certificate(certificate);
  if (caller == nullptr) {
    const std::string_view token = bearer_token(*exchange.request);
    if (!token.empty()) caller = callers_.by_token(token);
    if (caller == nullptr && !certificate.empty() && token.empty()) {
      exchange.caller = certificate;
      return Problem{ProblemCode::kForbidden,
                     "The client certificate is valid, but its name is not in the callers "
                     "file; ask the operator to add it."};
    }
  }
  if (caller == nullptr)
    return Problem{
        ProblemCode::kUnauthenticated,
        "Present a client certificate, or a token that is in the callers file, as Authorization: Bearer."};
  exchange.caller = caller->name.empty() ? certificate : caller->name;
  may = [caller](std::string_view route) { return caller->may(route); };
  return check_rate(exchange.caller, caller->rate.value_or(rate_));
}

}  // namespace visage::sidecar::http
