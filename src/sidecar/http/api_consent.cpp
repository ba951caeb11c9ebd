// Consent over HTTP: what the extension's give_consent() and withdraw_consent() take. [8.2.2c]
// docs/consent.md
#include <nlohmann/json.hpp>

#include "sidecar/http/api.h"

namespace visage::sidecar::http {
namespace {

constexpr PartRule kGiven[] = {{"notice", PartKind::kText, true},
                               {"digest", PartKind::kText, true},
                               {"purpose", PartKind::kText, true},
                               {"under_14", PartKind::kText, true},
                               {"channel", PartKind::kText, false},
                               {"guardian", PartKind::kText, false},
                               {"guardian_relation", PartKind::kText, false}};
constexpr PartRule kWithdrawn[] = {{"purpose", PartKind::kText, false}, {"channel", PartKind::kText, false}};

}  // namespace

Failure Api::give_consent(Exchange& exchange, const std::string& subject) const {
  VISAGE_HTTP_TRY(auth_.check(exchange));
  WipedBytes body;
  Form form;
  VISAGE_HTTP_TRY(take_form(exchange, kGiven, false, body, form));
  std::string json;
  VISAGE_HTTP_TRY(
      service_.ask(db::Question::kGiveConsent,
                   {subject, form.text("notice"), form.text("digest"),
                    nlohmann::json::array({form.text("purpose")}).dump(), form.text("under_14"),
                    form.text("channel", "default"), form.text("guardian"), form.text("guardian_relation")},
                   json));
  answer_json(exchange, 201, render_answer(json, exchange));
  return {};
}

Failure Api::withdraw_consent(Exchange& exchange, const std::string& subject) const {
  VISAGE_HTTP_TRY(auth_.check(exchange));
  WipedBytes body;
  Form form;
  VISAGE_HTTP_TRY(take_form(exchange, kWithdrawn, false, body, form));
  std::string json;
  VISAGE_HTTP_TRY(service_.ask(db::Question::kWithdrawConsent,
                               {subject, form.text("purpose"), form.text("channel", "default")}, json));
  answer_json(exchange, 200, render_answer(json, exchange));
  return {};
}

}  // namespace visage::sidecar::http
