#include "sidecar/http/api.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "sidecar/flow/code_desk.h"
#include "sidecar/http/outcome_json.h"
#include "sidecar/http/target.h"
#include "sidecar/openapi/openapi.h"

namespace visage::sidecar::http {
namespace {

using db::Flow;
using db::Question;

constexpr PartRule kChannel{"channel", PartKind::kText, false};
constexpr PartRule kContext{"context", PartKind::kObject, false};
constexpr PartRule kBizId{"biz_id", PartKind::kText, false};
constexpr PartRule kNewSession[] = {{"subject", PartKind::kText, false},
                                    {"purpose", PartKind::kText, true},
                                    kChannel,
                                    {"scenario", PartKind::kText, false},
                                    kContext,
                                    kBizId,
                                    {"capture_page", PartKind::kObject, false}};
constexpr PartRule kClaim[] = {{"channel", PartKind::kText, true}, kContext, kBizId};

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

size_t count_pictures(std::span<const PartRule> rules) {
  size_t count = 0;
  for (const PartRule& rule : rules)
    count += rule.kind == PartKind::kPicture ? 1 : rule.kind == PartKind::kFrames ? kFramesPictures : 0;
  return count;
}

// Where what the flow made can be found, or empty when it made nothing.
std::string location(const FlowRequest& request, const db::Outcome& outcome) {
  if (outcome.decision != "accept") return {};
  const std::string subject = "/v1/registrations/" + encode_segment(request.arguments.subject);
  switch (request.flow) {
    case Flow::kRegister:
      return subject;
    case Flow::kAddReference:
      return subject + "/references/" + outcome.reference.value_or("");
    case Flow::kEnrolFactor:
      return subject + "/factors/" + encode_segment(request.arguments.kind);
    default:
      return {};
  }
}

}  // namespace

Failure check_session(const std::string& id) {
  if (id.size() == 36 && id.find_first_not_of("0123456789abcdefABCDEF-") == std::string::npos) return {};
  return Problem{ProblemCode::kNotFound, "There is no session of this name."};
}

std::string render_answer(const std::string& json, const Exchange& exchange, const std::string* biz_id,
                          const std::string* capture_link) {
  auto document = nlohmann::ordered_json::parse(json, nullptr, false);
  if (biz_id != nullptr)
    document["biz_id"] = biz_id->empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(*biz_id);
  if (capture_link != nullptr && !capture_link->empty()) document["capture_link"] = *capture_link;
  document["request_id"] = exchange.id;
  document["elapsed_ms"] = std::round(exchange.elapsed_ms() * 10) / 10;
  return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Api::Api(const Auth& auth, FlowService& service, SourceKeyFile& source_key, ApiOptions options)
    : auth_(auth),
      service_(service),
      source_key_(source_key),
      options_(std::move(options)),
      router_(all_routes()) {}

std::vector<Route> Api::all_routes() {
  std::vector<Route> routes = {
      flow_route("POST", "/v1/registrations", "register", Flow::kRegister),
      flow_route("DELETE", "/v1/registrations/{}", "cancel", Flow::kCancel),
      flow_route("POST", "/v1/verifications", "verify", Flow::kVerify),
      flow_route("POST", "/v1/comparisons", "compare", Flow::kCompare),
      flow_route("POST", "/v1/identify", "identify", Flow::kIdentify),
      flow_route("POST", "/v1/unlocks", "unlock", Flow::kUnlock),
      {"GET", "/v1/registrations/{}/references", "list_references",
       [this](auto& e, auto& v) { return read(e, Question::kListReferences, v[0]); }},
      flow_route("POST", "/v1/registrations/{}/references", "add_reference", Flow::kAddReference),
      flow_route("DELETE", "/v1/registrations/{}/references/{}", "drop_reference", Flow::kDropReference),
      flow_route("PUT", "/v1/registrations/{}/references", "replace_references", Flow::kReplaceReferences),
      flow_route("PUT", "/v1/registrations/{}/references/{}", "replace_reference", Flow::kReplaceReference),
      {"GET", "/v1/registrations/{}/factors", "list_factors",
       [this](auto& e, auto& v) { return read(e, Question::kListFactors, v[0]); }},
      flow_route("POST", "/v1/registrations/{}/factors", "enrol_factor", Flow::kEnrolFactor),
      flow_route("PUT", "/v1/registrations/{}/factors/{}", "replace_factor", Flow::kReplaceFactor),
      flow_route("DELETE", "/v1/registrations/{}/factors/{}", "remove_factor", Flow::kRemoveFactor),
      {"POST", "/v1/sessions", "open_session", [this](auto& e, auto&) { return open_session(e); }},
      {"GET", "/v1/sessions/{}", "read_session", [this](auto& e, auto& v) { return read_session(e, v[0]); }},
      {"DELETE", "/v1/sessions/{}", "close_session",
       [this](auto& e, auto& v) { return read(e, Question::kCloseSession, v[0]); }},
      {"GET", "/v1/frame-key", "frame_key", [this](auto& e, auto&) { return frame_key(e); }},
      {"POST", "/v1/sessions/{}/claim", "claim_session",
       [this](auto& e, auto& v) { return claim_session(e, v[0]); }},
      flow_route("POST", "/v1/sessions/{}/factors", "present_factor", Flow::kPresentFactor),
      {"GET", "/v1/sessions/{}/events", "watch_session",
       [this](auto& e, auto& v) { return watch_session(e, v[0]); }},
      {"GET", "/v1/notices/{}", "read_notice",
       [this](auto& e, auto& v) { return read(e, Question::kReadNotice, v[0]); }},
      {"GET", "/v1/registrations/{}/consents", "list_consents",
       [this](auto& e, auto& v) { return read(e, Question::kListConsents, v[0]); }},
      {"POST", "/v1/registrations/{}/consents", "give_consent",
       [this](auto& e, auto& v) { return give_consent(e, v[0]); }},
      {"DELETE", "/v1/registrations/{}/consents", "withdraw_consent",
       [this](auto& e, auto& v) { return withdraw_consent(e, v[0]); }},
      {"POST", "/v1/id-photos", "id_photo", [this](auto& e, auto&) { return id_photo(e); }},
      {"POST", "/v1/sessions/{}/codes", "send_code", [this](auto& e, auto& v) { return send_code(e, v[0]); }},
      {"POST", "/v1/sessions/{}/codes/check", "check_code",
       [this](auto& e, auto& v) { return check_code(e, v[0]); }},
      {"POST", "/v1/quality", "quality", [this](auto& e, auto&) { return quality(e); }},
      {"GET", "/openapi.yaml", "openapi",
       [](auto& e, auto&) {
         e.response->status = 200;
         e.response->set_content(openapi_document().data(), openapi_document().size(), "application/yaml");
         return Failure();
       }},
  };
  routes.insert(routes.end(), options_.more.begin(), options_.more.end());
  return routes;
}

Route Api::flow_route(std::string_view method, std::string_view path, std::string_view name, Flow flow) {
  return {method, path, name,
          [this, &shape = shape_of(flow)](auto& e, auto& v) { return this->flow(e, shape, v); }};
}

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

Failure Api::take_form(Exchange& exchange, std::span<const PartRule> rules, bool needs_picture,
                       WipedBytes& body, Form& out) const {
  if (exchange.request->method == "DELETE") {
    for (const auto& [name, value] : exchange.request->params)
      VISAGE_HTTP_TRY(out.add(name, as_bytes(value)));
    return check_form(out, rules, options_.max_picture);
  }
  BodyPlan plan;
  VISAGE_HTTP_TRY(plan_body(exchange, options_.max_picture, count_pictures(rules), plan));
  if (needs_picture) VISAGE_HTTP_TRY(admit());
  VISAGE_HTTP_TRY(take_body(exchange, body));
  return parse_form(plan.type, plan.boundary, body, rules, options_.max_picture, out);
}

Failure Api::flow(Exchange& exchange, const FlowShape& shape, const Segments& segments) const {
  VISAGE_HTTP_TRY(auth_.check(exchange));
  if (shape.flow == Flow::kPresentFactor) VISAGE_HTTP_TRY(check_session(segments[0]));
  WipedBytes body;
  Form form;
  VISAGE_HTTP_TRY(take_form(exchange, shape.parts, db::probes_of(shape.flow) > 0, body, form));
  const double received_ms = exchange.elapsed_ms();
  FlowRequest request;
  Nonce nonce;
  VISAGE_HTTP_TRY(read_request(exchange, shape, segments, form, nonce, request));
  if (request.flow == Flow::kPresentFace) VISAGE_HTTP_TRY(admit());
  const std::string biz_id = form.text("biz_id");
  request.times.push_back({"receive", received_ms});
  if (db::probes_of(request.flow) > 0)
    request.drop_pictures = [&] {
      form = Form();
      body = WipedBytes();
    };
  return finish(exchange, request, biz_id);
}

Failure Api::finish(Exchange& exchange, FlowRequest& request, const std::string& biz_id) const {
  db::Outcome outcome;
  const Failure failure = service_.run(request, outcome);
  if (options_.server_timing) exchange.response->set_header("Server-Timing", render_times(request.times));
  if (failure) return failure;
  const std::string made = location(request, outcome);
  if (!made.empty()) exchange.response->set_header("Location", made);
  if (request.flow == Flow::kIdentify)
    answer_json(exchange, 200, render_identification(outcome, exchange, biz_id));
  else
    answer_json(exchange, made.empty() ? 200 : 201, render_outcome(outcome, exchange, biz_id));
  return {};
}

Failure Api::open_session(Exchange& exchange) const {
  std::function<bool(std::string_view)> may;
  VISAGE_HTTP_TRY(auth_.check(exchange, may));
  WipedBytes body;
  Form form;
  VISAGE_HTTP_TRY(take_form(exchange, kNewSession, false, body, form));
  const std::string biz_id = form.text("biz_id");
  page::Wanted wanted;
  if (form.has("capture_page")) {
    if (options_.links == nullptr || !options_.links->enabled())
      return Problem{ProblemCode::kInvalidValue,
                     "No capture pages are served here. Ask the operator for page-listen."};
    VISAGE_HTTP_TRY(page::read_wanted(as_text(form.bytes("capture_page")), form.text("purpose"), wanted));
    VISAGE_HTTP_TRY(check_wanted(wanted, form.text("purpose"), may));
    if (wanted.purposes.empty()) wanted.purposes = {form.text("scenario", "default")};
    if (!wanted.notice.empty()) VISAGE_HTTP_TRY(check_notice(wanted));
  }
  std::string json;
  VISAGE_HTTP_TRY(service_.ask(Question::kOpenSession,
                               {form.text("subject"), form.text("purpose"), form.text("scenario", "default"),
                                form.text("channel", "default"), build_context(exchange, form)},
                               json));
  const auto answer = nlohmann::json::parse(json, nullptr, false);
  const bool opened = answer.at("session").is_string();  // policy may deny it
  if (opened)
    exchange.response->set_header("Location", "/v1/sessions/" + answer.at("session").get<std::string>());
  std::string link;
  if (opened && form.has("capture_page")) VISAGE_HTTP_TRY(make_link(exchange, form, wanted, answer, link));
  answer_json(exchange, opened ? 201 : 200, render_answer(json, exchange, &biz_id, &link));
  return {};
}

// The page's call is made in the name of who asked for the page.
Failure Api::check_wanted(const page::Wanted& wanted, std::string_view purpose,
                          const std::function<bool(std::string_view)>& may) const {
  if (purpose == "identify" && !may("identify"))
    return Problem{ProblemCode::kForbidden,
                   "The caller is known, but \"identify\" is not among its routes in the callers file."};
  if (std::find(wanted.factors.begin(), wanted.factors.end(), "otp") != wanted.factors.end())
    return options_.codes->admits();
  return {};
}

// Now, and not when a person has opened the link: then it would be spent.
Failure Api::check_notice(const page::Wanted& wanted) const {
  std::string json;
  const Failure failure = service_.ask(Question::kReadNotice, {wanted.notice}, json);
  if (failure && failure->code != ProblemCode::kNotFound) return failure;
  const auto notice = nlohmann::json::parse(failure ? "{}" : json, nullptr, false);
  const auto told = notice.value("purposes", std::vector<std::string>());
  const auto is_told = [&](const std::string& purpose) {
    return std::find(told.begin(), told.end(), purpose) != told.end();
  };
  if (std::all_of(wanted.purposes.begin(), wanted.purposes.end(), is_told)) return {};
  return Problem{ProblemCode::kInvalidValue,
                 "Part \"capture_page\" names no notice in force, or a purpose that it does not tell of."};
}

Failure Api::make_link(const Exchange& exchange, const Form& form, page::Wanted& wanted,
                       const nlohmann::json& opened, std::string& link) const {
  page::Ticket ticket;
  ticket.session = opened.at("session").get<std::string>();
  ticket.subject = form.text("subject");
  ticket.purpose = form.text("purpose");
  ticket.scenario = form.text("scenario", "default");
  ticket.channel = form.text("channel", "default");
  ticket.caller = exchange.caller;
  ticket.context = as_text(form.bytes("context"));
  ticket.notice = std::move(wanted.notice);
  ticket.purposes = std::move(wanted.purposes);
  ticket.factors = std::move(wanted.factors);
  ticket.max_candidates = wanted.max_candidates;
  const auto context = nlohmann::json::parse(ticket.context, nullptr, false);
  if (context.is_object() && context.contains("finish_channel")) {
    // A channel's name; the database took it.
    const auto finish = context.at("finish_channel").get<std::string>();
    ticket.crosses = finish != ticket.channel;
    ticket.channel = finish;
  }
  // Where another device finishes it, the nonce is told to that device alone.
  if (!ticket.crosses) ticket.nonce = opened.at("nonce").get<std::string>();
  if (options_.links->make(ticket, link).ok()) return {};
  return Problem{ProblemCode::kNotReady,
                 "There is no capture source key. Tell the operator; /ready says why.", 5};
}

Failure Api::claim_session(Exchange& exchange, const std::string& session) const {
  VISAGE_HTTP_TRY(auth_.check(exchange));
  VISAGE_HTTP_TRY(check_session(session));
  WipedBytes body;
  Form form;
  VISAGE_HTTP_TRY(take_form(exchange, kClaim, false, body, form));
  const std::string biz_id = form.text("biz_id");
  std::string json;
  VISAGE_HTTP_TRY(service_.ask(Question::kClaimSession,
                               {session, form.text("channel"), build_context(exchange, form)}, json));
  answer_json(exchange, 200, render_answer(json, exchange, &biz_id));
  return {};
}

Failure Api::read(Exchange& exchange, Question question, const std::string& name) const {
  VISAGE_HTTP_TRY(auth_.check(exchange));
  if (question == Question::kCloseSession) VISAGE_HTTP_TRY(check_session(name));
  std::string json;
  VISAGE_HTTP_TRY(service_.ask(question, {name}, json));
  answer_json(exchange, 200, render_answer(json, exchange, nullptr));
  return {};
}

}  // namespace visage::sidecar::http
