// What the files of Pages share: how a page is answered, and what the database is told beside its words.
#pragma once

#include <nlohmann/json.hpp>

#include "sidecar/http/exchange.h"
#include "sidecar/page/ticket.h"

namespace visage::sidecar::page {

using Json = nlohmann::ordered_json;

http::Problem no_entry();
void answer(http::Exchange& exchange, const Json& document);

// The words of who asked for the page, then ours. Of the session too, where a flow's call needs to name it.
enum class Naming { kSession, kNothing };
std::string build_context(const http::Exchange& exchange, const Ticket& ticket,
                          Naming naming = Naming::kNothing);

}  // namespace visage::sidecar::page
