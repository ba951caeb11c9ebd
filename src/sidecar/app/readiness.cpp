#include "sidecar/app/readiness.h"

#include <nlohmann/json.hpp>

#include "sidecar/db/health.h"

namespace visage::sidecar {
namespace {
constexpr auto kDatabaseInterval = std::chrono::seconds(1);
}

void Readiness::set_models(std::vector<std::string> missing) {
  const std::lock_guard lock(mutex_);
  missing_models_ = std::move(missing);
}

Readiness::Report Readiness::report() {
  const std::lock_guard lock(mutex_);
  if (const auto now = Clock::now(); now - asked_ >= kDatabaseInterval) {
    database_fault_ = db::database_fault(pool_);
    asked_ = Clock::now();
  }
  Status why;
  const bool key = source_key_.get(why) != nullptr;
  const bool draining = draining_;
  const bool ready = !draining && missing_models_.empty() && database_fault_.empty() && key;
  nlohmann::ordered_json document = {
      {"ready", ready},
      {"draining", draining},
      {"models", {{"ready", missing_models_.empty()}, {"missing", missing_models_}}},
      {"database", {{"ready", database_fault_.empty()}, {"why", database_fault_}}},
      {"source_key", {{"ready", key}, {"why", key ? "" : why.message}}},
  };
  return {ready, document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
}

}  // namespace visage::sidecar
