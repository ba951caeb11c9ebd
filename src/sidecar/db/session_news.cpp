#include "sidecar/db/session_news.h"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

namespace visage::sidecar::db {
namespace {

constexpr auto kStatementTime = std::chrono::milliseconds(5000);
constexpr auto kSlice = std::chrono::milliseconds(250);  // how soon the end is noticed
constexpr auto kAgain = std::chrono::seconds(1);         // between tries to connect

}  // namespace

SessionNews::SessionNews(std::string conninfo) : conninfo_(std::move(conninfo)), thread_([this] { run(); }) {}

SessionNews::~SessionNews() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  moved_.notify_all();
  thread_.join();
}

void SessionNews::run() {
  std::unique_lock lock(mutex_);
  for (bool complained = false;;) {
    moved_.wait(lock, [this] { return over_ || !watches_.empty(); });
    if (over_) return;
    lock.unlock();
    const bool listened = listen();
    lock.lock();
    if (over_) return;
    if (listened || !complained)
      spdlog::warn("database: nobody listens for news of sessions; they are looked up every few seconds");
    complained = !listened;
    moved_.wait_for(lock, kAgain, [this] { return over_; });
  }
}

bool SessionNews::listen() {
  Connection connection(conninfo_, kStatementTime);
  Result none;
  if (!connection.usable() || connection.run("LISTEN visage_session", {}, none)) return false;
  spdlog::info("database: listening for news of sessions");
  // What was said before nobody heard.
  tell_all();
  std::vector<std::string> payloads;
  while (connection.hear(kSlice, payloads)) {
    for (const std::string& payload : payloads) tell(payload);
    payloads.clear();
    const std::lock_guard lock(mutex_);
    if (over_) break;
  }
  return true;
}

void SessionNews::tell_all() {
  const std::lock_guard lock(mutex_);
  for (Watch* const watch : watches_) watch->told_ = true;
  moved_.notify_all();
}

// A payload is what anybody who may NOTIFY wrote: whatever it is, it makes somebody look, or nobody.
void SessionNews::tell(const std::string& payload) {
  const auto document = nlohmann::json::parse(payload, nullptr, false);
  if (!document.is_object() || !document.contains("session") || !document["session"].is_string()) return;
  const auto& session = document["session"].get_ref<const std::string&>();
  const std::lock_guard lock(mutex_);
  for (Watch* const watch : watches_) watch->told_ = watch->told_ || watch->session_ == session;
  moved_.notify_all();
}

SessionNews::Watch::Watch(SessionNews& news, std::string session)
    : news_(news), session_(std::move(session)) {
  const std::lock_guard lock(news_.mutex_);
  news_.watches_.push_back(this);
  news_.moved_.notify_all();
}

SessionNews::Watch::~Watch() {
  const std::lock_guard lock(news_.mutex_);
  news_.watches_.remove(this);
}

bool SessionNews::Watch::wait(std::chrono::milliseconds patience) {
  std::unique_lock lock(news_.mutex_);
  news_.moved_.wait_for(lock, patience, [this] { return told_; });
  return std::exchange(told_, false);
}

}  // namespace visage::sidecar::db
