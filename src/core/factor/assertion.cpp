#include "core/factor/assertion.h"

namespace visage::factor {
namespace {

Status wrong_line(const char* name) {
  return Status::error(Code::kMalformed, "assertion: the line \"%s\" is missing or malformed", name);
}

}  // namespace

Status parse_assertion(std::string_view text, Assertion& out) {
  constexpr size_t kMaxService = 63;
  constexpr size_t kMaxSubject = 256;
  if (text.size() > kMaxAssertion) return Status::error(Code::kMalformed, "assertion: too long");
  statement::Lines lines(text);
  std::string_view value;
  if (!lines.next("visage/otp/1", value) || !value.empty()) return wrong_line("visage/otp/1");
  if (!lines.next("service: ", out.service) || !statement::is_name(out.service, kMaxService))
    return wrong_line("service");
  if (!lines.next("subject: ", out.subject) || !statement::is_name(out.subject, kMaxSubject))
    return wrong_line("subject");
  if (!lines.next("nonce: ", value) || !statement::parse_hex(value, out.nonce)) return wrong_line("nonce");
  if (!lines.next("issued: ", value) || !statement::parse_seconds(value, out.issued_at))
    return wrong_line("issued");
  if (!lines.next("expires: ", value) || !statement::parse_seconds(value, out.expires_at))
    return wrong_line("expires");
  if (!lines.end(out.signed_text, out.signature)) return wrong_line("signature");
  return {};
}

Status verify_assertion(const Assertion& assertion, std::string_view public_key_pem) {
  return statement::verify(assertion.signed_text, assertion.signature, public_key_pem);
}

}  // namespace visage::factor
