#include "sidecar/page/answers.h"

namespace visage::sidecar::page {

http::Problem no_entry() {
  return {http::ProblemCode::kUnauthenticated, "This link is not valid. Ask for a new one."};
}

void answer(http::Exchange& exchange, const Json& document) {
  http::answer_json(exchange, 200, document.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string build_context(const http::Exchange& exchange, const Ticket& ticket, Naming naming) {
  nlohmann::json context = nlohmann::json::parse(ticket.context, nullptr, false);
  if (!context.is_object()) context = nlohmann::json::object();
  context.erase("finish_channel");
  context["caller"] = ticket.caller;
  context["request_id"] = exchange.id;
  if (naming == Naming::kSession) context["session"] = ticket.session;
  return context.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace visage::sidecar::page
