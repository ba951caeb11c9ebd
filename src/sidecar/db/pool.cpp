#include "sidecar/db/pool.h"

namespace visage::sidecar::db {

size_t Pool::idle() const {
  const std::lock_guard lock(mutex_);
  return idle_.size();
}

Trouble Pool::lease(std::unique_ptr<Connection>& out) {
  {
    std::unique_lock lock(mutex_);
    if (!returned_.wait_for(lock, settings_.lease_timeout, [this] { return in_use_ < settings_.size; }))
      return Error{std::string(kPoolBusy), "no database connection became free in time"};
    ++in_use_;
    if (!idle_.empty()) {
      out = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (out && out->usable()) return {};
  // Outside the lock: others must not wait while a dead server lets us run into connect_timeout.
  out = std::make_unique<Connection>(settings_.conninfo, settings_.statement_timeout);
  if (out->usable()) return {};
  Error error{std::string(kNoConnection), out->problem()};
  give_back(nullptr);
  return error;
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
  {
    const std::lock_guard lock(mutex_);
    --in_use_;
    if (connection && connection->usable()) idle_.push_back(std::move(connection));
  }
  returned_.notify_one();
}

Trouble Pool::run(const char* sql, std::span<const Parameter> parameters, Result& out) {
  std::unique_ptr<Connection> connection;
  if (Trouble trouble = lease(connection)) return trouble;
  Trouble trouble = connection->run(sql, parameters, out);
  give_back(std::move(connection));
  return trouble;
}

}  // namespace visage::sidecar::db
