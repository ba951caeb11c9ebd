#include "sidecar/adapter/otp_answer.h"

#include "sidecar/http/form.h"

namespace visage::sidecar::adapter {
namespace {

using http::PartKind;
using http::PartRule;

constexpr PartRule kAnswer[] = {{"request", PartKind::kText, true},
                                {"result", PartKind::kText, true},
                                {"assertion", PartKind::kSecret, false}};

}  // namespace

Doubt read_otp_answer(const WipedBytes& body, std::string_view request_id, bool sends, OtpAnswer& out) {
  http::Form form;
  if (http::parse_form(http::BodyType::kJson, "", body, kAnswer, 1, form)) return Reason::kMalformedAnswer;
  if (form.text("request") != request_id) return Reason::kReplayedAnswer;
  const std::string result = form.text("result");
  out.done = result == (sends ? "sent" : "right");
  if (!out.done && result != (sends ? "refused" : "wrong")) return Reason::kMalformedAnswer;
  const Bytes assertion = form.bytes("assertion");
  // An assertion is there exactly where a code was right.
  if (assertion.empty() == (out.done && !sends)) return Reason::kMalformedAnswer;
  out.assertion.assign(as_text(assertion));
  return {};
}

}  // namespace visage::sidecar::adapter
