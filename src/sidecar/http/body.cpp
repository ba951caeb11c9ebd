#include "sidecar/http/body.h"

#include <algorithm>

namespace visage::sidecar::http {
namespace {

// Beside the pictures: the text parts, the delimiters, the JSON around it.
constexpr size_t kOtherBytes = 64 * 1024;

Failure check_length(const httplib::Request& request, size_t limit) {
  // Chunked bodies are refused: their length is unknown until it is too late, and parsers that disagree about
  // them are how requests get smuggled (RFC 9112 section 11.2).
  if (request.has_header("Transfer-Encoding") || !request.has_header("Content-Length"))
    return Problem{ProblemCode::kLengthRequired, "Send Content-Length, not Transfer-Encoding."};
  const std::string text = request.get_header_value("Content-Length");
  const bool digits = !text.empty() && text.size() < 20 &&
                      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (request.get_header_value_count("Content-Length") != 1 || !digits)
    return Problem{ProblemCode::kMalformedRequest, "Send one Content-Length, in digits."};
  if (std::stoull(text) > limit)
    return Problem{ProblemCode::kBodyTooLarge, "Send at most " + std::to_string(limit) + " bytes."};
  return {};
}

}  // namespace

Failure plan_body(const Exchange& exchange, size_t max_picture, size_t pictures, BodyPlan& plan) {
  const httplib::Request& request = *exchange.request;
  const std::string type = request.get_header_value("Content-Type");
  if (request.get_header_value_count("Content-Type") != 1 || !body_type_of(type, plan.type, plan.boundary))
    return Problem{ProblemCode::kUnsupportedMediaType, "Send multipart/form-data or application/json."};
  if (request.has_header("Content-Encoding"))
    return Problem{ProblemCode::kUnsupportedMediaType, "Send the body without Content-Encoding."};
  const size_t encoded = plan.type == BodyType::kJson ? max_picture / 3 * 4 + 4 : max_picture;
  return check_length(request, pictures * encoded + kOtherBytes);
}

Failure take_body(Exchange& exchange, WipedBytes& body) {
  if (exchange.connection.read_body(body)) return {};
  exchange.close_after = true;
  if (exchange.connection.trouble() == Connection::Trouble::kTimedOut)
    return Problem{ProblemCode::kRequestTimeout, "Send the whole request within the time limit."};
  return Problem{ProblemCode::kMalformedRequest, "The body is shorter than Content-Length."};
}

}  // namespace visage::sidecar::http
