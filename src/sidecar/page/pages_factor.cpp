// Pages: what a person shows beside the face, and the flow that compares none. [6.6e, 8.2.5c]
#include "sidecar/page/answers.h"
#include "sidecar/page/pages.h"
#include "sidecar/page/verdict.h"

namespace visage::sidecar::page {
namespace {

using db::Flow;

constexpr PartRule kShown[] = {{"kind", PartKind::kText, true}, {"evidence", PartKind::kSecret, true}};
constexpr std::string_view kOneTimeCode = "otp";
// A backend decides itself how often it has a code sent; whoever holds a page may not flood a phone.
constexpr http::Rate kCodes{.per_second = 1.0 / 30};

Failure agreed(const Ticket& ticket) {
  if (!ticket.crosses && (ticket.notice.empty() || ticket.agreed)) return {};
  return Problem{ProblemCode::kForbidden, "The person has not agreed on this page."};
}

Failure is_turn_of(const Ticket& ticket, std::string_view kind) {
  if (!ticket.factors.empty() && ticket.factors.front() == kind) return {};
  return Problem{ProblemCode::kForbidden, "This page asks for something else first."};
}

}  // namespace

// What the page is told of an outcome. A factor that was accepted is not asked for again.
Failure Pages::tell(Exchange& exchange, Ticket& ticket, const db::Outcome& outcome, bool factor) const {
  const Verdict verdict = verdict_for_page(outcome, ticket.purpose);
  Json document = {{"result", verdict.result}};
  if (!verdict.advice.empty()) document["advice"] = Json::array({verdict.advice});
  if (outcome.retry_after_s) document["retry_after"] = *outcome.retry_after_s;
  if (factor && outcome.decision == "accept") {
    ticket.factors.erase(ticket.factors.begin());
    std::string text;
    VISAGE_HTTP_TRY(seal_ticket(ticket, text));
    document["result"] = "shown";
    document["ticket"] = text;
  }
  answer(exchange, document);
  return {};
}

Failure Pages::code(Exchange& exchange) const {
  Ticket ticket;
  VISAGE_HTTP_TRY(admit(exchange, Use::kTicket, ticket));
  VISAGE_HTTP_TRY(agreed(ticket));
  VISAGE_HTTP_TRY(is_turn_of(ticket, kOneTimeCode));
  if (const unsigned wait = sendings_->take(ticket.session, kCodes, http::Clock::now()))
    return Problem{ProblemCode::kRateLimited, "A code was asked for a moment ago. Wait for it.", wait};
  bool sent = false;
  VISAGE_HTTP_TRY(codes_.send({ticket.session, ticket.subject, ticket.nonce}, sent));
  answer(exchange, Json::object({{"sent", sent}}));
  return {};
}

Failure Pages::factor(Exchange& exchange) const {
  Ticket ticket;
  VISAGE_HTTP_TRY(admit(exchange, Use::kTicket, ticket));
  VISAGE_HTTP_TRY(agreed(ticket));
  WipedBytes body;
  Form form;
  VISAGE_HTTP_TRY(take(exchange, kShown, 0, body, form));
  VISAGE_HTTP_TRY(is_turn_of(ticket, form.text("kind")));
  FlowRequest request;
  WipedString assertion;
  request.flow = Flow::kPresentFactor;
  request.arguments.session = ticket.session;
  request.arguments.kind = form.text("kind");
  request.arguments.secret = form.bytes("evidence");
  if (request.arguments.kind == kOneTimeCode) {
    VISAGE_HTTP_TRY(
        codes_.check({ticket.session, ticket.subject, ticket.nonce}, request.arguments.secret, assertion));
    request.arguments.secret = as_bytes(assertion);
  }
  request.arguments.context = build_context(exchange, ticket);
  db::Outcome outcome;
  VISAGE_HTTP_TRY(service_.run(request, outcome));
  return tell(exchange, ticket, outcome, true);
}

Failure Pages::cancel(Exchange& exchange) const {
  Ticket ticket;
  VISAGE_HTTP_TRY(admit(exchange, Use::kTicket, ticket));
  VISAGE_HTTP_TRY(agreed(ticket));
  if (ticket.purpose != "cancel" || !ticket.factors.empty())
    return Problem{ProblemCode::kForbidden, "This page asks for something else first."};
  FlowRequest request;
  request.flow = Flow::kCancel;
  request.arguments.subject = ticket.subject;
  request.arguments.channel = ticket.channel;
  request.arguments.scenario = ticket.scenario;
  request.arguments.context = build_context(exchange, ticket, Naming::kSession);
  db::Outcome outcome;
  VISAGE_HTTP_TRY(service_.run(request, outcome));
  return tell(exchange, ticket, outcome, false);
}

}  // namespace visage::sidecar::page
