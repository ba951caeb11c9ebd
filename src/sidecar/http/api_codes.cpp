// One-time codes of the bank's own service, sent and checked for a session. [6.6e] [8.2.2b] [B.2]
// docs/adapters.md
#include <nlohmann/json.hpp>

#include "sidecar/adapter/otp_service.h"
#include "sidecar/http/api.h"

namespace visage::sidecar::http {
namespace {

constexpr PartRule kContext{"context", PartKind::kObject, false};
constexpr PartRule kSubject{"subject", PartKind::kText, true};
constexpr PartRule kNonce{"nonce", PartKind::kText, true};
constexpr PartRule kSend[] = {kSubject, kNonce};
constexpr PartRule kCheck[] = {
    kSubject, kNonce, {"code", PartKind::kSecret, true}, kContext, {"biz_id", PartKind::kText, false}};

// What is shown for a code that was wrong: no assertion, so the database refuses it and counts the try.
constexpr std::string_view kNoAssertion = "wrong code";

Failure check_nonce(const std::string& nonce) {
  if (nonce.size() == 64 && nonce.find_first_not_of("0123456789abcdef") == std::string::npos) return {};
  return Problem{ProblemCode::kInvalidValue,
                 "Part \"nonce\" must be the session's, in 64 hexadecimal digits."};
}

}  // namespace

Failure Api::take_code_form(Exchange& exchange, const std::string& session, std::span<const PartRule> rules,
                            WipedBytes& body, Form& form) const {
  VISAGE_HTTP_TRY(auth_.check(exchange));
  VISAGE_HTTP_TRY(check_session(session));
  if (options_.otp == nullptr || !options_.otp->enabled())
    return Problem{ProblemCode::kInvalidValue,
                   "No one-time codes are sent from here. Ask the operator for otp-url."};
  VISAGE_HTTP_TRY(take_form(exchange, rules, false, body, form));
  return check_nonce(form.text("nonce"));
}

Failure Api::send_code(Exchange& exchange, const std::string& session) const {
  WipedBytes body;
  Form form;
  VISAGE_HTTP_TRY(take_code_form(exchange, session, kSend, body, form));
  // Nobody is sent a code for a session that is over.
  std::string json;
  VISAGE_HTTP_TRY(service_.ask(db::Question::kPhotoSession, {session}, json));
  if (!nlohmann::json::parse(json, nullptr, false).at("open").get<bool>())
    return Problem{ProblemCode::kInvalidValue, "The session is over; open another one."};
  const std::string subject = form.text("subject"), nonce = form.text("nonce");
  adapter::OtpAnswer answer;
  if (const adapter::Doubt doubt = options_.otp->ask({subject, nonce, {}}, answer))
    return adapter::undetermined("The service of one-time codes", *doubt);
  answer_json(exchange, 200, render_answer(nlohmann::json{{"sent", answer.done}}.dump(), exchange));
  return {};
}

Failure Api::check_code(Exchange& exchange, const std::string& session) const {
  WipedBytes body;
  Form form;
  VISAGE_HTTP_TRY(take_code_form(exchange, session, kCheck, body, form));
  const std::string subject = form.text("subject"), nonce = form.text("nonce"), biz_id = form.text("biz_id");
  adapter::OtpAnswer answer;
  if (const adapter::Doubt doubt = options_.otp->ask({subject, nonce, form.bytes("code")}, answer))
    return adapter::undetermined("The service of one-time codes", *doubt);
  FlowRequest request;
  request.flow = db::Flow::kPresentFactor;
  request.arguments.session = session;
  request.arguments.kind = "otp";
  request.arguments.secret = as_bytes(answer.done ? std::string_view(answer.assertion) : kNoAssertion);
  request.arguments.context = build_context(exchange, form);
  return finish(exchange, request, biz_id);
}

}  // namespace visage::sidecar::http
