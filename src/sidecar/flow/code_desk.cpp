#include "sidecar/flow/code_desk.h"

#include <nlohmann/json.hpp>

namespace visage::sidecar {
namespace {

using http::Failure;
using http::Problem;
using http::ProblemCode;

constexpr char kNoAssertion[] = "wrong code";

}  // namespace

Failure CodeDesk::admits() const {
  if (otp_.enabled()) return {};
  return Problem{ProblemCode::kInvalidValue,
                 "No one-time codes are sent from here. Ask the operator for otp-url."};
}

Failure CodeDesk::ask(const Whose& whose, Bytes code, adapter::OtpAnswer& answer) const {
  if (const adapter::Doubt doubt = otp_.ask({whose.subject, whose.nonce, code}, answer))
    return adapter::undetermined("The service of one-time codes", *doubt);
  return {};
}

Failure CodeDesk::send(const Whose& whose, bool& sent) const {
  std::string json;
  VISAGE_HTTP_TRY(service_.ask(db::Question::kPhotoSession, {whose.session}, json));
  if (!nlohmann::json::parse(json, nullptr, false).at("open").get<bool>())
    return Problem{ProblemCode::kInvalidValue, "The session is over; open another one."};
  adapter::OtpAnswer answer;
  VISAGE_HTTP_TRY(ask(whose, {}, answer));
  sent = answer.done;
  return {};
}

Failure CodeDesk::check(const Whose& whose, Bytes code, WipedString& evidence) const {
  adapter::OtpAnswer answer;
  VISAGE_HTTP_TRY(ask(whose, code, answer));
  evidence = answer.done ? std::move(answer.assertion) : WipedString(kNoAssertion);
  return {};
}

}  // namespace visage::sidecar
