#include "sidecar/page/pages.h"

#include <strings.h>

#include <ctime>

#include "sidecar/http/body.h"
#include "sidecar/page/answers.h"
#include "sidecar/page/assets.h"

namespace visage::sidecar::page {
namespace {

using db::Question;

constexpr PartRule kConsent[] = {{"digest", PartKind::kText, true},
                                 {"under_14", PartKind::kText, true},
                                 {"guardian", PartKind::kText, false},
                                 {"guardian_relation", PartKind::kText, false}};

// A page that follows every frame of a camera makes some forty calls a second.
constexpr http::Rate kCalls{.per_second = 100};

std::string_view shown_token(const httplib::Request& request) {
  if (request.get_header_value_count("Authorization") != 1) return {};
  const std::string_view value = request.headers.find("Authorization")->second;
  constexpr std::string_view kScheme = "Capture ";
  if (value.size() <= kScheme.size() || strncasecmp(value.data(), kScheme.data(), kScheme.size()) != 0)
    return {};
  return value.substr(kScheme.size());
}

}  // namespace

Pages::Pages(FlowService& service, const Links& links, const CodeDesk& codes, size_t max_picture)
    : service_(service),
      links_(links),
      codes_(codes),
      max_picture_(max_picture),
      router_({
          {"GET", "/capture", "page", [](auto& e, auto&) { return serve_asset(e, "index.html"); }},
          {"GET", "/capture/{}", "page_file", [](auto& e, auto& v) { return serve_asset(e, v[0]); }},
          {"POST", "/capture/open", "page_open", [this](auto& e, auto&) { return open(e); }},
          {"POST", "/capture/consent", "page_consent", [this](auto& e, auto&) { return consent(e); }},
          {"POST", "/capture/decline", "page_decline", [this](auto& e, auto&) { return decline(e); }},
          {"POST", "/capture/frame", "page_frame", [this](auto& e, auto&) { return frame(e); }},
          {"POST", "/capture/frame-key", "page_frame_key", [this](auto& e, auto&) { return frame_key(e); }},
          {"POST", "/capture/sealed-frame", "page_sealed_frame",
           [this](auto& e, auto&) { return sealed_frame(e); }},
          {"POST", "/capture/frames", "page_frames", [this](auto& e, auto&) { return frames(e); }},
          {"POST", "/capture/picture", "page_picture", [this](auto& e, auto&) { return picture(e); }},
          {"POST", "/capture/code", "page_code", [this](auto& e, auto&) { return code(e); }},
          {"POST", "/capture/factor", "page_factor", [this](auto& e, auto&) { return factor(e); }},
          {"POST", "/capture/cancel", "page_cancel", [this](auto& e, auto&) { return cancel(e); }},
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
  if (const unsigned wait = calls_->take(ticket.session, kCalls, http::Clock::now()))
    return Problem{ProblemCode::kRateLimited, "This page calls too often; try again after Retry-After.",
                   wait};
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
  std::string json, photographed;
  VISAGE_HTTP_TRY(find_photographed(ticket, photographed));  // before the link is spent
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
  } else {
    document["factors"] = ticket.factors;
    if (!ticket.notice.empty()) {
      std::string notice;
      VISAGE_HTTP_TRY(service_.ask(Question::kReadNotice, {ticket.notice}, notice));
      document["notice"] = Json::parse(notice, nullptr, false);
      document["purposes"] = ticket.purposes;
    }
  }
  std::string text;
  VISAGE_HTTP_TRY(seal_ticket(ticket, text));
  document["ticket"] = text;
  answer(exchange, document);
  return {};
}

Failure Pages::find_photographed(const Ticket& ticket, std::string& subject) const {
  if (ticket.purpose != "compare") return {};
  const auto found = service_.photographed(ticket.session);
  if (!found)
    return Problem{ProblemCode::kMissingPart, "There is no photo to compare with. Ask for a new link."};
  subject = *found;
  return {};
}

// An identification names nobody in whose name a consent could be recorded.
Failure Pages::check_notice(const Ticket& ticket, const std::string& digest) const {
  std::string notice;
  VISAGE_HTTP_TRY(service_.ask(Question::kReadNotice, {ticket.notice}, notice));
  if (Json::parse(notice, nullptr, false).at("digest") == digest) return {};
  return Problem{ProblemCode::kInvalidValue,
                 "Another version of the notice is in force. Ask for a new link."};
}

Failure Pages::consent(Exchange& exchange) const {
  Ticket ticket;
  VISAGE_HTTP_TRY(admit(exchange, Use::kTicket, ticket));
  WipedBytes body;
  Form form;
  VISAGE_HTTP_TRY(take(exchange, kConsent, 0, body, form));
  if (ticket.crosses || ticket.notice.empty())
    return Problem{ProblemCode::kInvalidValue, "This page asks for no consent."};
  std::string json, subject = ticket.subject;
  VISAGE_HTTP_TRY(find_photographed(ticket, subject));
  if (subject.empty())
    VISAGE_HTTP_TRY(check_notice(ticket, form.text("digest")));
  else
    VISAGE_HTTP_TRY(service_.ask(
        Question::kGiveConsent,
        {subject, ticket.notice, form.text("digest"), Json(ticket.purposes).dump(), form.text("under_14"),
         ticket.channel, form.text("guardian"), form.text("guardian_relation")},
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
  service_.drop_frames(ticket.session);
  VISAGE_HTTP_TRY(service_.ask(Question::kCloseSession, {ticket.session}, json));
  answer(exchange, Json::parse(json, nullptr, false));
  return {};
}

// Whether somebody was identified is not this page's to know.
Failure Pages::state(Exchange& exchange) const {
  Ticket ticket;
  VISAGE_HTTP_TRY(admit(exchange, Use::kTicket, ticket));
  std::string json;
  VISAGE_HTTP_TRY(service_.ask(Question::kPageSession, {ticket.session}, json));
  std::string state = Json::parse(json, nullptr, false).at("state");
  if (ticket.purpose == "identify" && (state == "SUCCEEDED" || state == "FAILED")) state = "FINISHED";
  answer(exchange, Json::object({{"state", state}}));
  return {};
}

}  // namespace visage::sidecar::page
