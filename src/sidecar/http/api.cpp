#include "sidecar/http/api.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "sidecar/http/outcome_json.h"
#include "sidecar/http/target.h"
#include "sidecar/openapi/openapi.h"

namespace visage::sidecar::http {
namespace {

constexpr PartRule kSubject{"subject", PartKind::kText, true};
constexpr PartRule kImage{"image", PartKind::kPicture, true};
constexpr PartRule kDocument{"document", PartKind::kPicture, true};
constexpr PartRule kChannel{"channel", PartKind::kText, false};
constexpr PartRule kScenario{"scenario", PartKind::kText, false};
constexpr PartRule kContext{"context", PartKind::kObject, false};
constexpr PartRule kBizId{"biz_id", PartKind::kText, false};

constexpr PartRule kOneFace[] = {kSubject, kImage, kChannel, kScenario, kContext, kBizId};
constexpr PartRule kTwoFaces[] = {kImage, kDocument, kChannel, kScenario, kContext, kBizId};
constexpr PartRule kNoFace[] = {kChannel, kScenario, kBizId};

// What the event keeps of the call: the caller's own words, then ours, which the caller cannot set.
std::string build_context(const Exchange& exchange, std::string_view given, const std::string& biz_id) {
  nlohmann::json context = nlohmann::json::object();
  if (!given.empty()) context = nlohmann::json::parse(given, nullptr, false);
  if (!biz_id.empty()) context["biz_id"] = biz_id;
  context["caller"] = exchange.caller;
  context["request_id"] = exchange.id;
  return context.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string render_times(const std::vector<StageTime>& times) {
  std::string text;
  for (const StageTime& time : times) {
    char entry[64];
    std::snprintf(entry, sizeof entry, "%s%.*s;dur=%.2f", text.empty() ? "" : ", ",
                  static_cast<int>(time.stage.size()), time.stage.data(), time.milliseconds);
    text += entry;
  }
  return text;
}

}  // namespace

Api::Api(const Auth& auth, FlowService& service, SourceKeyFile& source_key, ApiOptions options)
    : auth_(auth),
      service_(service),
      source_key_(source_key),
      options_(options),
      router_({
          {"POST", "/v1/registrations", "register",
           [this](auto& e, auto&) { return flow(e, db::Flow::kRegister); }},
          {"POST", "/v1/verifications", "verify",
           [this](auto& e, auto&) { return flow(e, db::Flow::kVerify); }},
          {"POST", "/v1/comparisons", "compare",
           [this](auto& e, auto&) { return flow(e, db::Flow::kCompare); }},
          {"DELETE", "/v1/registrations/{}", "cancel", [this](auto& e, auto& v) { return cancel(e, v[0]); }},
          {"POST", "/v1/quality", "quality", [this](auto& e, auto&) { return quality(e); }},
          {"GET", "/openapi.yaml", "openapi",
           [](auto& e, auto&) {
             e.response->status = 200;
             e.response->set_content(openapi_document().data(), openapi_document().size(),
                                     "application/yaml");
             return Failure();
           }},
      }) {}

Failure Api::admit() const {
  Status why;
  if (!service_.has_models())
    return Problem{ProblemCode::kNotReady, "The models are not loaded. Tell the operator; /ready says which.",
                   5};
  if (!source_key_.get(why))
    return Problem{ProblemCode::kNotReady,
                   "There is no capture source key. Tell the operator; /ready says why.", 5};
  return service_.admits();
}

Failure Api::flow(Exchange& exchange, db::Flow flow) const {
  VISAGE_HTTP_TRY(auth_.check(exchange));
  const bool two = flow == db::Flow::kCompare;
  const std::span<const PartRule> rules = two ? std::span<const PartRule>(kTwoFaces) : kOneFace;
  BodyPlan plan;
  VISAGE_HTTP_TRY(plan_body(exchange, options_.max_picture, two ? 2 : 1, plan));
  VISAGE_HTTP_TRY(admit());
  WipedBytes body;
  VISAGE_HTTP_TRY(take_body(exchange, body));
  const double received_ms = exchange.elapsed_ms();
  Form form;
  VISAGE_HTTP_TRY(parse_form(plan.type, plan.boundary, body, rules, options_.max_picture, form));
  const std::string biz_id = form.text("biz_id");
  FlowRequest request;
  request.flow = flow;
  request.image = form.bytes("image");
  request.document = form.bytes("document");
  request.arguments.subject = form.text("subject");
  request.arguments.channel = form.text("channel", "default");
  request.arguments.scenario = form.text("scenario", "default");
  request.arguments.context = build_context(exchange, as_text(form.bytes("context")), biz_id);
  request.times.push_back({"receive", received_ms});
  request.drop_pictures = [&] {
    form = Form();
    body = WipedBytes();
  };
  return finish(exchange, request, biz_id);
}

Failure Api::cancel(Exchange& exchange, const std::string& subject) const {
  VISAGE_HTTP_TRY(auth_.check(exchange));
  Form form;
  for (const auto& [name, value] : exchange.request->params) VISAGE_HTTP_TRY(form.add(name, as_bytes(value)));
  VISAGE_HTTP_TRY(check_form(form, kNoFace, options_.max_picture));
  const std::string biz_id = form.text("biz_id");
  FlowRequest request;
  request.flow = db::Flow::kCancel;
  request.arguments.subject = subject;
  request.arguments.channel = form.text("channel", "default");
  request.arguments.scenario = form.text("scenario", "default");
  request.arguments.context = build_context(exchange, {}, biz_id);
  return finish(exchange, request, biz_id);
}

Failure Api::finish(Exchange& exchange, FlowRequest& request, const std::string& biz_id) const {
  db::Outcome outcome;
  const Failure failure = service_.run(request, outcome);
  if (options_.server_timing) exchange.response->set_header("Server-Timing", render_times(request.times));
  if (failure) return failure;
  const bool created = request.flow == db::Flow::kRegister && outcome.decision == "accept";
  if (created)
    exchange.response->set_header("Location",
                                  "/v1/registrations/" + encode_segment(request.arguments.subject));
  answer_json(exchange, created ? 201 : 200, render_outcome(outcome, exchange, biz_id));
  return {};
}

}  // namespace visage::sidecar::http
