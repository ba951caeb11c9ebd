#include "sidecar/console/console.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sidecar/console/assets.h"
#include "sidecar/flow/sqlstate.h"
#include "sidecar/http/body.h"

namespace visage::sidecar::console {
namespace {

using db::Records;
using http::Exchange;
using http::Failure;
using http::PartKind;
using http::PartRule;
using http::Problem;
using http::ProblemCode;
using Json = nlohmann::ordered_json;

// What the console asks for; each opens a part of it.
constexpr std::string_view kRoutes[] = {"list_sessions", "read_history", "read_reports", "read_policy",
                                        "quality"};

// In the order of Records::kHistory. By POST, because names of people belong into no address.
constexpr PartRule kSearch[] = {
    {"subject", PartKind::kText, false},     {"since", PartKind::kText, false},
    {"until", PartKind::kText, false},       {"operation", PartKind::kText, false},
    {"channel", PartKind::kText, false},     {"decision", PartKind::kText, false},
    {"reason", PartKind::kText, false},      {"event", PartKind::kText, false},
    {"transaction", PartKind::kText, false}, {"biz_id", PartKind::kText, false},
    {"session", PartKind::kText, false},     {"before", PartKind::kText, false}};
constexpr PartRule kRange[] = {{"since", PartKind::kText, false}, {"until", PartKind::kText, false}};
constexpr PartRule kOfSessions[] = {{"state", PartKind::kText, false}, {"channel", PartKind::kText, false}};

struct Report {
  std::string_view name;
  Records records;
};
constexpr Report kReports[] = {{"daily", Records::kDaily},       {"channel", Records::kChannel},
                               {"reason", Records::kReason},     {"latency", Records::kLatency},
                               {"failures", Records::kFailures}, {"page", Records::kPage}};

Failure take_query(const Exchange& exchange, std::span<const PartRule> rules, std::vector<std::string>& out) {
  http::Form form;
  for (const auto& [name, value] : exchange.request->params) VISAGE_HTTP_TRY(form.add(name, as_bytes(value)));
  VISAGE_HTTP_TRY(http::check_form(form, rules, 0));
  for (const PartRule& rule : rules) out.push_back(form.text(rule.name));
  return {};
}

}  // namespace

std::vector<http::Route> Console::routes() const {
  return {
      {"GET", "/console", "console", [](auto& e, auto&) { return serve_asset(e, "index.html"); }},
      {"GET", "/console/{}", "console_file", [](auto& e, auto& v) { return serve_asset(e, v[0]); }},
      {"GET", "/v1/caller", "caller", [this](auto& e, auto&) { return tell_caller(e); }},
      {"GET", "/v1/sessions", "list_sessions", [this](auto& e, auto&) { return sessions(e); }},
      {"POST", "/v1/history", "read_history", [this](auto& e, auto&) { return history(e); }},
      {"GET", "/v1/reports/{}", "read_reports", [this](auto& e, auto& v) { return report(e, v[0]); }},
      {"GET", "/v1/policy", "read_policy", [this](auto& e, auto&) { return policy(e); }},
  };
}

Failure Console::tell_caller(Exchange& exchange) const {
  std::function<bool(std::string_view)> may;
  VISAGE_HTTP_TRY(auth_.identify(exchange, may));
  Json routes = Json::array();
  for (const std::string_view route : kRoutes)
    if (may(route)) routes.push_back(route);
  const Json document = {{"caller", exchange.caller}, {"routes", routes}, {"request_id", exchange.id}};
  http::answer_json(exchange, 200, document.dump(-1, ' ', false, Json::error_handler_t::replace));
  return {};
}

Failure Console::sessions(Exchange& exchange) const {
  VISAGE_HTTP_TRY(auth_.check(exchange));
  std::vector<std::string> arguments;
  VISAGE_HTTP_TRY(take_query(exchange, kOfSessions, arguments));
  return show(exchange, Records::kSessions, arguments);
}

Failure Console::history(Exchange& exchange) const {
  VISAGE_HTTP_TRY(auth_.check(exchange));
  http::BodyPlan plan;
  VISAGE_HTTP_TRY(http::plan_body(exchange, 0, 0, plan));
  WipedBytes body;
  http::Form form;
  VISAGE_HTTP_TRY(http::take_body(exchange, body));
  VISAGE_HTTP_TRY(http::parse_form(plan.type, plan.boundary, body, kSearch, 0, form));
  std::vector<std::string> arguments;
  for (const PartRule& rule : kSearch) arguments.push_back(form.text(rule.name));
  return show(exchange, Records::kHistory, arguments);
}

Failure Console::report(Exchange& exchange, const std::string& name) const {
  VISAGE_HTTP_TRY(auth_.check(exchange));
  const auto* const found = std::find_if(std::begin(kReports), std::end(kReports),
                                         [&](const Report& report) { return report.name == name; });
  if (found == std::end(kReports))
    return Problem{ProblemCode::kNotFound, "Reports are daily, channel, reason, latency, failures and page."};
  std::vector<std::string> arguments;
  VISAGE_HTTP_TRY(take_query(exchange, kRange, arguments));
  return show(exchange, found->records, arguments);
}

Failure Console::policy(Exchange& exchange) const {
  VISAGE_HTTP_TRY(auth_.check(exchange));
  return show(exchange, Records::kPolicy, {});
}

Failure Console::show(Exchange& exchange, Records records, const std::vector<std::string>& arguments) const {
  std::string json;
  if (const db::Trouble trouble = db::read(pool_, records, arguments, json)) {
    spdlog::warn("console's database: {} {}", trouble->sqlstate, trouble->message);
    return database_problem(*trouble);
  }
  Json document = Json::parse(json, nullptr, false);
  document["request_id"] = exchange.id;
  http::answer_json(exchange, 200, document.dump(-1, ' ', false, Json::error_handler_t::replace));
  return {};
}

}  // namespace visage::sidecar::console
