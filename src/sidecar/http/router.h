// From method and path to a handler. Says NOT_FOUND and METHOD_NOT_ALLOWED for both listeners.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sidecar/http/exchange.h"

namespace visage::sidecar::http {

struct Route {
  std::string_view method;
  std::string_view path;  // "/v1/registrations/{}": {} takes one segment
  std::string_view name;  // for permissions, log and metrics
  // `variables` are the segments that {} took. HEAD is served by GET.
  std::function<Failure(Exchange&, const std::vector<std::string>& variables)> handler;
};

class Router {
 public:
  explicit Router(std::vector<Route> routes) : routes_(std::move(routes)) {}

  // Answers the exchange, whatever comes of it.
  void handle(Exchange& exchange) const;

 private:
  Failure dispatch(Exchange& exchange) const;

  std::vector<Route> routes_;
};

}  // namespace visage::sidecar::http
