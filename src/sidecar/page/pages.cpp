#include "sidecar/page/pages.h"

#include <strings.h>

#include <ctime>
#include <nlohmann/json.hpp>

#include "sidecar/http/body.h"
#include "sidecar/page/advice.h"
#include "sidecar/page/assets.h"
#include "sidecar/page/verdict.h"

namespace visage::sidecar::page {
namespace {

using db::Flow;
using db::Question;
using http::Exchange;
using http::Failure;
using http::Form;
using http::PartKind;
using http::PartRule;
using http::Problem;
using http::ProblemCode;
using Json = nlohmann::ordered_json;

constexpr PartRule kImage[] = {{"image", PartKind::kPicture, true}};
constexpr PartRule kConsent[] = {{"digest", PartKind::kText, true},
                                 {"under_14", PartKind::kText, true},
                                 {"guardian", PartKind::kText, false},
                                 {"guardian_relation", PartKind::kText, false}};
constexpr size_t kNonceBytes = probe::kSessionNonceSize;

Problem no_entry() {
  return {ProblemCode::kUnauthenticated, "This link is not valid. Ask for a new one."};
}

std::string_view shown_token(const httplib::Request& request) {
  if (request.get_header_value_count("Authorization") != 1) return {};
  const std::string_view value = request.headers.find("Authorization")->second;
  constexpr std::string_view kScheme = "Capture ";
  if (value.size() <= kScheme.size() || strncasecmp(value.data(), kScheme.data(), kScheme.size()) != 0)
    return {};
  return value.substr(kScheme.size());
}

Flow flow_of(std::string_view purpose) {
  if (purpose == "register") return Flow::kRegister;
  if (purpose == "add_reference") return Flow::kAddReference;
  if (purpose == "replace_reference") return Flow::kReplaceReferences;
  return Flow::kVerify;
}

bool stores(std::string_view purpose) {
  return purpose != "verify";
}

void answer(Exchange& exchange, const Json& document) {
  http::answer_json(exchange, 200, document.dump(-1, ' ', false, Json::error_handler_t::replace));
}

// What the flow's call is told beside the picture: the words of who asked for the page, then ours.
std::string build_context(const Exchange& exchange, const Ticket& ticket) {
  nlohmann::json context = nlohmann::json::parse(ticket.context, nullptr, false);
  if (!context.is_object()) context = nlohmann::json::object();
  context.erase("finish_channel");
  context["caller"] = ticket.caller;
  context["request_id"] = exchange.id;
  return context.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<uint8_t> decode_hex(std::string_view text) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  return bytes;
}

// What is wrong with the people in a picture is advice, not an error. [6.1.1d]
bool is_advice(const Problem& problem) {
  return problem.code == ProblemCode::kNoFace || problem.code == ProblemCode::kSeveralFaces;
}

Json advice_of(const Problem& problem) {
  return Json::array({problem.code == ProblemCode::kNoFace ? "no-face" : "one-person"});
}

}  // namespace

Pages::Pages(FlowService& service, const Links& links, size_t max_picture)
    : service_(service),
      links_(links),
      max_picture_(max_picture),
      router_({
          {"GET", "/capture", "page", [](auto& e, auto&) { return serve_asset(e, "index.html"); }},
          {"GET", "/capture/{}", "page_file", [](auto& e, auto& v) { return serve_asset(e, v[0]); }},
          {"POST", "/capture/open", "page_open", [this](auto& e, auto&) { return open(e); }},
          {"POST", "/capture/consent", "page_consent", [this](auto& e, auto&) { return consent(e); }},
          {"POST", "/capture/decline", "page_decline", [this](auto& e, auto&) { return decline(e); }},
          {"POST", "/capture/frame", "page_frame", [this](auto& e, auto&) { return frame(e); }},
          {"POST", "/capture/picture", "page_picture", [this](auto& e, auto&) { return picture(e); }},
          {"POST", "/capture/state", "page_state", [this](auto& e, auto&) { return state(e); }},
      }) {}

void Pages::handle(Exchange& exchange) const {
  router_.handle(exchange);
  set_page_headers(*exchange.response);
}

Failure Pages::admit(Exchange& exchange, Use use, Ticket& ticket) const {
  const std::string_view token = shown_token(*exchange.request);
  if (token.empty() || !links_.tickets().open(token, use, ticket).ok()) return no_entry();
  exchange.caller = ticket.caller;
  // The database has the last word at each of its calls; this keeps an old ticket from using the models.
  if (use == Use::kTicket && std::time(nullptr) >= ticket.valid_until)
    return Problem{ProblemCode::kForbidden, "The time for this is over. Ask for a new link."};
  return {};
}

Failure Pages::take(Exchange& exchange, std::span<const PartRule> rules, size_t pictures, WipedBytes& body,
                    Form& form) const {
  http::BodyPlan plan;
  VISAGE_HTTP_TRY(http::plan_body(exchange, max_picture_, pictures, plan));
  if (pictures > 0) {
    if (!service_.has_models())
      return Problem{ProblemCode::kNotReady, "The service is starting. Try again in a moment.", 5};
    VISAGE_HTTP_TRY(service_.admits());
  }
  VISAGE_HTTP_TRY(http::take_body(exchange, body));
  return http::parse_form(plan.type, plan.boundary, body, rules, max_picture_, form);
}

Failure Pages::seal_ticket(const Ticket& ticket, std::string& out) const {
  if (links_.tickets().seal(ticket, Use::kTicket, out).ok()) return {};
  return Problem{ProblemCode::kNotReady, "No page can be opened now. Tell the operator; /ready says why.", 5};
}

// The session's nonce, told once to the device that claims it. [6.5d]
Failure Pages::claim(Exchange& exchange, Ticket& ticket) const {
  std::string json;
  VISAGE_HTTP_TRY(service_.ask(Question::kClaimSession,
                               {ticket.session, ticket.channel, build_context(exchange, ticket)}, json));
  const auto claimed = nlohmann::json::parse(json, nullptr, false);
  if (!claimed.at("claimed").get<bool>())
    return Problem{ProblemCode::kForbidden, "This link was opened before, or is over. Ask for a new one."};
  ticket.nonce = claimed.at("nonce").get<std::string>();
  return {};
}

Failure Pages::open(Exchange& exchange) const {
  Ticket ticket;
  VISAGE_HTTP_TRY(admit(exchange, Use::kLink, ticket));
  const bool other_device = ticket.must_claim;
  std::string json;
  VISAGE_HTTP_TRY(
      service_.ask(other_device ? Question::kPageSession : Question::kOpenPage, {ticket.session}, json));
  const auto session = nlohmann::json::parse(json, nullptr, false);
  if (!session.at("opened").get<bool>())
    return Problem{ProblemCode::kForbidden, "This link was opened before, or is over. Ask for a new one."};
  if (other_device) VISAGE_HTTP_TRY(claim(exchange, ticket));
  ticket.must_claim = false;
  ticket.valid_until = session.at("until").get<int64_t>();
  Json document = {{"purpose", ticket.purpose}, {"seconds", ticket.valid_until - std::time(nullptr)}};
  if (ticket.crosses) {
    Ticket other = ticket;
    other.crosses = false;
    other.must_claim = true;
    other.valid_until = 0;
    other.context = "{}";  // what was said there was said of the other device
    std::string link;
    if (!links_.make(other, link).ok()) return no_entry();
    document["hand_over"] = link;
  } else if (!ticket.notice.empty()) {
    std::string notice;
    VISAGE_HTTP_TRY(service_.ask(Question::kReadNotice, {ticket.notice}, notice));
    document["notice"] = Json::parse(notice, nullptr, false);
    document["purposes"] = ticket.purposes;
  }
  std::string text;
  VISAGE_HTTP_TRY(seal_ticket(ticket, text));
  document["ticket"] = text;
  answer(exchange, document);
  return {};
}

Failure Pages::consent(Exchange& exchange) const {
  Ticket ticket;
  VISAGE_HTTP_TRY(admit(exchange, Use::kTicket, ticket));
  WipedBytes body;
  Form form;
  VISAGE_HTTP_TRY(take(exchange, kConsent, 0, body, form));
  if (ticket.crosses || ticket.notice.empty())
    return Problem{ProblemCode::kInvalidValue, "This page asks for no consent."};
  std::string json;
  VISAGE_HTTP_TRY(service_.ask(
      Question::kGiveConsent,
      {ticket.subject, ticket.notice, form.text("digest"), Json(ticket.purposes).dump(),
       form.text("under_14"), ticket.channel, form.text("guardian"), form.text("guardian_relation")},
      json));
  ticket.agreed = true;
  std::string text;
  VISAGE_HTTP_TRY(seal_ticket(ticket, text));
  answer(exchange, Json::object({{"ticket", text}}));
  return {};
}

Failure Pages::decline(Exchange& exchange) const {
  Ticket ticket;
  VISAGE_HTTP_TRY(admit(exchange, Use::kTicket, ticket));
  std::string json;
  VISAGE_HTTP_TRY(service_.ask(Question::kCloseSession, {ticket.session}, json));
  answer(exchange, Json::parse(json, nullptr, false));
  return {};
}

namespace {

// No picture is taken in before the person has agreed. [8.2.2c]
Failure may_capture(const Ticket& ticket) {
  if (!ticket.crosses && (ticket.notice.empty() || ticket.agreed)) return {};
  return Problem{ProblemCode::kForbidden, "The person has not agreed to a capture on this page."};
}

}  // namespace

Failure Pages::frame(Exchange& exchange) const {
  Ticket ticket;
  VISAGE_HTTP_TRY(admit(exchange, Use::kTicket, ticket));
  VISAGE_HTTP_TRY(may_capture(ticket));
  WipedBytes body;
  Form form;
  VISAGE_HTTP_TRY(take(exchange, kImage, 1, body, form));
  capture::Inspection seen;
  capture::InspectRequest request;
  request.image = form.bytes("image");
  const Failure failure = service_.inspect(request, seen);
  if (failure && !is_advice(*failure)) return failure;
  const Json advice = failure ? advice_of(*failure) : Json(advise(seen, stores(ticket.purpose)));
  answer(exchange, Json::object({{"good", advice.empty()}, {"advice", advice}}));
  return {};
}

Failure Pages::picture(Exchange& exchange) const {
  Ticket ticket;
  VISAGE_HTTP_TRY(admit(exchange, Use::kTicket, ticket));
  VISAGE_HTTP_TRY(may_capture(ticket));
  WipedBytes body;
  Form form;
  VISAGE_HTTP_TRY(take(exchange, kImage, 1, body, form));
  {
    // Looked at first, so that a poor picture costs nobody an attempt and gets its reason. [6.1.3b]
    capture::Inspection seen;
    capture::InspectRequest request;
    request.image = form.bytes("image");
    const Failure failure = service_.inspect(request, seen);
    if (failure && !is_advice(*failure)) return failure;
    const Json advice = failure ? advice_of(*failure) : Json(advise(seen, stores(ticket.purpose)));
    if (!advice.empty()) {
      answer(exchange, Json::object({{"result", "retry"}, {"advice", advice}}));
      return {};
    }
  }
  FlowRequest request;
  request.flow = flow_of(ticket.purpose);
  request.image = form.bytes("image");
  const std::vector<uint8_t> nonce = decode_hex(ticket.nonce);
  if (nonce.size() != kNonceBytes) return no_entry();
  request.nonce = nonce;
  request.arguments.subject = ticket.subject;
  request.arguments.channel = ticket.channel;
  request.arguments.scenario = ticket.scenario;
  request.arguments.session = ticket.session;
  nlohmann::json context = nlohmann::json::parse(build_context(exchange, ticket));
  context["session"] = ticket.session;
  request.arguments.context = context.dump();
  request.drop_pictures = [&] {
    form = Form();
    body = WipedBytes();
  };
  db::Outcome outcome;
  const Failure failure = service_.run(request, outcome);
  if (failure && !is_advice(*failure)) return failure;
  if (failure) {
    answer(exchange, Json::object({{"result", "retry"}, {"advice", advice_of(*failure)}}));
    return {};
  }
  const Verdict verdict = verdict_for_page(outcome);
  Json document = {{"result", verdict.result}};
  if (!verdict.advice.empty()) document["advice"] = Json::array({verdict.advice});
  if (outcome.retry_after_s) document["retry_after"] = *outcome.retry_after_s;
  answer(exchange, document);
  return {};
}

Failure Pages::state(Exchange& exchange) const {
  Ticket ticket;
  VISAGE_HTTP_TRY(admit(exchange, Use::kTicket, ticket));
  std::string json;
  VISAGE_HTTP_TRY(service_.ask(Question::kPageSession, {ticket.session}, json));
  answer(
      exchange,
      Json::object({{"state", nlohmann::json::parse(json, nullptr, false).at("state").get<std::string>()}}));
  return {};
}

}  // namespace visage::sidecar::page
