// visage.outcome as JSON: the same names, and no score, because the database gives none.
#pragma once

#include <string>

#include "sidecar/db/outcome.h"
#include "sidecar/http/exchange.h"

namespace visage::sidecar::http {

// `biz_id` is echoed; empty: null.
std::string render_outcome(const db::Outcome& outcome, const Exchange& exchange, const std::string& biz_id);
// Of an identification: its candidates by rank.
std::string render_identification(const db::Outcome& outcome, const Exchange& exchange,
                                  const std::string& biz_id);

}  // namespace visage::sidecar::http
