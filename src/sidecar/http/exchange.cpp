#include "sidecar/http/exchange.h"

#include <openssl/rand.h>

#include <cstdio>

namespace visage::sidecar::http {
namespace {

constexpr const char* kProblemType = "application/problem+json";

// RFC 9562 version 4. Not a secret: it names a request in logs.
std::string new_request_id() {
  unsigned char b[16];
  if (RAND_bytes(b, sizeof b) != 1) return "00000000-0000-4000-8000-000000000000";
  b[6] = static_cast<unsigned char>((b[6] & 0x0f) | 0x40);
  b[8] = static_cast<unsigned char>((b[8] & 0x3f) | 0x80);
  char text[37];
  std::snprintf(text, sizeof text, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
                b[15]);
  return text;
}

}  // namespace

Exchange::Exchange(Connection& on) : connection(on), id(new_request_id()), started(Clock::now()) {}

void answer_json(Exchange& exchange, int status, const std::string& body) {
  exchange.response->status = status;
  exchange.response->set_content(body, "application/json");
}

void answer_problem(Exchange& exchange, const Problem& problem) {
  exchange.code = name_of(problem.code);
  httplib::Response& response = *exchange.response;
  response.status = status_of(problem.code);
  if (problem.retry_after != 0) response.set_header("Retry-After", std::to_string(problem.retry_after));
  if (!problem.allow.empty()) response.set_header("Allow", problem.allow);
  if (problem.code == ProblemCode::kUnauthenticated)
    response.set_header("WWW-Authenticate", "Bearer realm=\"visaged\"");  // RFC 6750 section 3
  response.set_content(render_problem(problem, exchange.id), kProblemType);
}

std::string raw_problem(const Problem& problem, std::string_view request_id) {
  const std::string body = render_problem(problem, request_id);
  std::string text = "HTTP/1.1 " + std::to_string(status_of(problem.code)) + " " +
                     std::string(name_of(problem.code)) + "\r\nContent-Type: " + kProblemType +
                     "\r\nContent-Length: " + std::to_string(body.size()) +
                     "\r\nX-Request-Id: " + std::string(request_id) + "\r\nConnection: close\r\n";
  if (problem.retry_after != 0) text += "Retry-After: " + std::to_string(problem.retry_after) + "\r\n";
  return text + "\r\n" + body;
}

}  // namespace visage::sidecar::http
