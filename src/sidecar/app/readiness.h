// Whether the flows can be served, and what is missing when not.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "sidecar/db/pool.h"
#include "sidecar/flow/source_key.h"

namespace visage::sidecar {

class Readiness {
 public:
  Readiness(db::Pool& pool, SourceKeyFile& source_key) : pool_(pool), source_key_(source_key) {}

  // One line for each thing that is wrong; empty: the models are loaded.
  void set_models(std::vector<std::string> missing);

  // From here on it is not: balancers shall send no more, what runs is finished.
  void set_draining() { draining_ = true; }

  struct Report {
    bool ready;
    std::string json;
  };
  // Asks the database at most once a second, however often it is called. Thread-safe.
  Report report();

 private:
  using Clock = std::chrono::steady_clock;

  db::Pool& pool_;
  SourceKeyFile& source_key_;
  std::mutex mutex_;
  std::vector<std::string> missing_models_{"the models are being loaded"};
  std::string database_fault_;
  Clock::time_point asked_{};
  std::atomic<bool> draining_{false};  // not under the mutex, which is held while the database is asked
};

}  // namespace visage::sidecar
