// A bounded set of connections that heals itself: a broken one is replaced when it is next wanted.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "sidecar/db/connection.h"

namespace visage::sidecar::db {

struct PoolSettings {
  std::string conninfo;
  size_t size = 8;
  std::chrono::milliseconds statement_timeout{5000};
  std::chrono::milliseconds lease_timeout{2000};
};

class Pool {
 public:
  // Connects to nothing yet: the database may come later.
  explicit Pool(PoolSettings settings) : settings_(std::move(settings)) {}

  // Runs one statement on a free connection. It is sent at most once: the flows consume a probe and write an
  // event, so a repeat is the caller's decision, not ours. Thread-safe.
  Trouble run(const char* sql, std::span<const Parameter> parameters, Result& out);

  size_t size() const { return settings_.size; }
  size_t in_use() const { return in_use_; }
  size_t idle() const;

 private:
  Trouble lease(std::unique_ptr<Connection>& out);
  void give_back(std::unique_ptr<Connection> connection);

  const PoolSettings settings_;
  mutable std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::atomic<size_t> in_use_{0};
};

}  // namespace visage::sidecar::db
