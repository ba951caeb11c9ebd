#include "sidecar/http/outcome_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace visage::sidecar::http {
namespace {

template <typename T>
nlohmann::ordered_json or_null(const std::optional<T>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}

}  // namespace

std::string render_outcome(const db::Outcome& outcome, const Exchange& exchange, const std::string& biz_id) {
  const nlohmann::ordered_json document = {
      {"transaction_id", outcome.transaction_id},
      {"decision", outcome.decision},
      {"reason", outcome.reason},
      {"channel", or_null(outcome.channel)},
      {"target_fmr", or_null(outcome.target_fmr)},
      {"model", or_null(outcome.model)},
      {"policy_version", or_null(outcome.policy_version)},
      {"retry_after", or_null(outcome.retry_after_s)},
      {"event", or_null(outcome.event)},
      {"reference", or_null(outcome.reference)},
      {"biz_id", biz_id.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(biz_id)},
      {"request_id", exchange.id},
      {"elapsed_ms", std::round(exchange.elapsed_ms() * 10) / 10},
  };
  return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string render_identification(const db::Outcome& outcome, const Exchange& exchange,
                                  const std::string& biz_id) {
  auto candidates = nlohmann::ordered_json::array();
  for (const std::string& subject : outcome.candidates)
    candidates.push_back({{"rank", candidates.size() + 1}, {"subject", subject}});
  const nlohmann::ordered_json document = {
      {"transaction_id", outcome.transaction_id},
      {"decision", outcome.decision},
      {"reason", outcome.reason},
      {"candidates", candidates},
      {"fpir", or_null(outcome.fpir)},
      {"model", or_null(outcome.model)},
      {"policy_version", or_null(outcome.policy_version)},
      {"retry_after", or_null(outcome.retry_after_s)},
      {"event", or_null(outcome.event)},
      {"biz_id", biz_id.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(biz_id)},
      {"request_id", exchange.id},
      {"elapsed_ms", std::round(exchange.elapsed_ms() * 10) / 10},
  };
  return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace visage::sidecar::http
