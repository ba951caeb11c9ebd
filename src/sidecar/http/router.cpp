#include "sidecar/http/router.h"

#include "sidecar/http/target.h"

namespace visage::sidecar::http {
namespace {

bool matches(std::string_view pattern, const std::vector<std::string>& segments,
             std::vector<std::string>& variables) {
  variables.clear();
  for (const std::string& segment : segments) {
    if (pattern.empty()) return false;
    pattern.remove_prefix(1);
    const std::string_view wanted = pattern.substr(0, pattern.find('/'));
    pattern.remove_prefix(wanted.size());
    if (wanted == "{}" && !segment.empty())
      variables.push_back(segment);
    else if (wanted != segment)
      return false;
  }
  return pattern.empty();
}

}  // namespace

void Router::handle(Exchange& exchange) const {
  if (const Failure failure = dispatch(exchange)) answer_problem(exchange, *failure);
}

Failure Router::dispatch(Exchange& exchange) const {
  std::vector<std::string> segments, variables;
  if (!split_target(exchange.request->target, segments))
    return Problem{ProblemCode::kMalformedRequest,
                   "The path must be percent-encoded UTF-8 without control characters."};
  std::string_view method = exchange.request->method;
  if (method == "HEAD") method = "GET";
  std::string allowed;
  for (const Route& route : routes_) {
    if (!matches(route.path, segments, variables)) continue;
    if (route.method == method) {
      exchange.route = route.name;
      return route.handler(exchange, variables);
    }
    allowed +=
        (allowed.empty() ? "" : ", ") + std::string(route.method) + (route.method == "GET" ? ", HEAD" : "");
  }
  if (allowed.empty()) return Problem{ProblemCode::kNotFound, "See /openapi.yaml for what there is."};
  return Problem{ProblemCode::kMethodNotAllowed, "Use " + allowed + ".", 0, allowed};
}

}  // namespace visage::sidecar::http
