// One-time codes of the bank's own service, sent and checked for a session. [6.6e] [8.2.2b] [B.2]
// docs/adapters.md
#include <nlohmann/json.hpp>

#include "sidecar/flow/code_desk.h"
#include "sidecar/http/api.h"

namespace visage::sidecar::http {
namespace {

constexpr PartRule kContext{"context", PartKind::kObject, false};
constexpr PartRule kSubject{"subject", PartKind::kText, true};
constexpr PartRule kNonce{"nonce", PartKind::kText, true};
constexpr PartRule kSend[] = {kSubject, kNonce};
constexpr PartRule kCheck[] = {
    kSubject, kNonce, {"code", PartKind::kSecret, true}, kContext, {"biz_id", PartKind::kText, false}};

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
  VISAGE_HTTP_TRY(options_.codes->admits());
  VISAGE_HTTP_TRY(take_form(exchange, rules, false, body, form));
  return check_nonce(form.text("nonce"));
}

Failure Api::send_code(Exchange& exchange, const std::string& session) const {
  WipedBytes body;
  Form form;
  VISAGE_HTTP_TRY(take_code_form(exchange, session, kSend, body, form));
  bool sent = false;
  VISAGE_HTTP_TRY(options_.codes->send({session, form.text("subject"), form.text("nonce")}, sent));
  answer_json(exchange, 200, render_answer(nlohmann::json{{"sent", sent}}.dump(), exchange));
  return {};
}

Failure Api::check_code(Exchange& exchange, const std::string& session) const {
  WipedBytes body;
  Form form;
  VISAGE_HTTP_TRY(take_code_form(exchange, session, kCheck, body, form));
  const std::string biz_id = form.text("biz_id");
  WipedString evidence;
  VISAGE_HTTP_TRY(options_.codes->check({session, form.text("subject"), form.text("nonce")},
                                        form.bytes("code"), evidence));
  FlowRequest request;
  request.flow = db::Flow::kPresentFactor;
  request.arguments.session = session;
  request.arguments.kind = "otp";
  request.arguments.secret = as_bytes(evidence);
  request.arguments.context = build_context(exchange, form);
  return finish(exchange, request, biz_id);
}

}  // namespace visage::sidecar::http
