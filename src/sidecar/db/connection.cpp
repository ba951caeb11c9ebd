#include "sidecar/db/connection.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace visage::sidecar::db {
namespace {

using Clock = std::chrono::steady_clock;

// The server's own limit fires first; ours is for a server that no longer answers.
constexpr auto kGrace = std::chrono::milliseconds(1000);

Error error_of(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  // libpq itself reports a lost connection as a fatal result without SQLSTATE.
  return {state != nullptr ? state : std::string(kConnectionLost),
          message != nullptr ? message : "connection lost"};
}

std::string first_line(const char* text) {
  const std::string_view all = text != nullptr ? text : "";
  return std::string(all.substr(0, all.find('\n')));
}

}  // namespace

Connection::Connection(const std::string& conninfo, std::chrono::milliseconds timeout) : timeout_(timeout) {
  // Named here so that they hold without being in the operator's string; what is in the string wins, because
  // dbname is expanded last.
  const std::string options = "-c statement_timeout=" + std::to_string(timeout.count()) +
                              " -c lock_timeout=" + std::to_string(timeout.count()) +
                              " -c idle_in_transaction_session_timeout=60000 -c search_path=pg_catalog";
  const char* const keywords[] = {"fallback_application_name",
                                  "connect_timeout",
                                  "keepalives",
                                  "keepalives_idle",
                                  "keepalives_interval",
                                  "keepalives_count",
                                  "tcp_user_timeout",
                                  "client_encoding",
                                  "options",
                                  "dbname",
                                  nullptr};
  const char* const values[] = {
      "visaged", "3", "1", "30", "10", "3", "15000", "UTF8", options.c_str(), conninfo.c_str(), nullptr};
  connection_.reset(PQconnectdbParams(keywords, values, 1));
  if (connection_ && PQstatus(connection_.get()) == CONNECTION_OK) {
    PQsetErrorVerbosity(connection_.get(), PQERRORS_DEFAULT);
    // By default notices go to stderr, and may quote values. An idle server's FATAL comes as a notice too.
    const auto take_notice = [](void* self, const PGresult* notice) {
      const char* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
      if (severity != nullptr && std::string_view(severity) == "FATAL")
        static_cast<Connection*>(self)->leaving_ = true;
    };
    PQsetNoticeReceiver(connection_.get(), take_notice, this);
    PQsetnonblocking(connection_.get(), 1);
  }
}

bool Connection::usable() {
  PGconn* c = connection_.get();
  if (c == nullptr || PQstatus(c) != CONNECTION_OK || PQtransactionStatus(c) != PQTRANS_IDLE) return false;
  // An idle server may send a changed parameter, or the news that it is going away: a message, then end of
  // file.
  pollfd entry{PQsocket(c), POLLIN, 0};
  while (poll(&entry, 1, 0) > 0)
    if (PQconsumeInput(c) != 1 || leaving_) return false;
  return !leaving_ && PQstatus(c) == CONNECTION_OK;
}

std::string Connection::problem() const {
  return connection_ ? first_line(PQerrorMessage(connection_.get())) : "out of memory";
}

Trouble Connection::run(const char* sql, std::span<const Parameter> parameters, Result& out) {
  std::vector<const char*> values;
  std::vector<int> sizes, formats;
  for (const Parameter& parameter : parameters) {
    values.push_back(parameter.data);
    sizes.push_back(parameter.size);
    formats.push_back(parameter.binary ? 1 : 0);
    leaving_ = leaving_ || parameter.is_secret;
  }
  PGconn* c = connection_.get();
  if (PQsendQueryParams(c, sql, static_cast<int>(values.size()), nullptr, values.data(), sizes.data(),
                        formats.data(), 0) != 1)
    return Error{std::string(kNoConnection), first_line(PQerrorMessage(c))};
  return await_result(out);
}

Trouble Connection::await_result(Result& out) {
  PGconn* c = connection_.get();
  const auto deadline = Clock::now() + timeout_ + kGrace;
  bool flushed = false;
  for (;;) {
    if (!flushed) {
      const int left = PQflush(c);
      if (left < 0) return Error{std::string(kConnectionLost), first_line(PQerrorMessage(c))};
      flushed = left == 0;
    }
    if (flushed && PQisBusy(c) == 0) break;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) {
      cancel();
      return Error{std::string(kNoAnswer), "the server did not answer in time"};
    }
    pollfd entry{PQsocket(c), static_cast<short>(flushed ? POLLIN : POLLIN | POLLOUT), 0};
    const int ready = poll(&entry, 1, static_cast<int>(std::min<long long>(left, 60000)));
    if (ready < 0 && errno != EINTR) return Error{std::string(kConnectionLost), "poll failed"};
    if (ready > 0 && (entry.revents & ~POLLOUT) != 0 && PQconsumeInput(c) != 1)
      return Error{std::string(kConnectionLost), first_line(PQerrorMessage(c))};
  }
  out.reset(PQgetResult(c));
  // The protocol ends a statement with a null result; without taking it the connection stays "active".
  while (PGresult* more = PQgetResult(c)) PQclear(more);
  const ExecStatusType status = PQresultStatus(out.get());
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return {};
  return error_of(out.get());
}

bool Connection::hear(std::chrono::milliseconds patience, std::vector<std::string>& payloads) {
  PGconn* c = connection_.get();
  if (c == nullptr) return false;
  pollfd entry{PQsocket(c), POLLIN, 0};
  if (poll(&entry, 1, static_cast<int>(patience.count())) > 0 && PQconsumeInput(c) != 1) return false;
  while (PGnotify* told = PQnotifies(c)) {
    payloads.emplace_back(told->extra);
    PQfreemem(told);
  }
  return !leaving_ && PQstatus(c) == CONNECTION_OK;
}

void Connection::cancel() {
  if (PGcancel* handle = PQgetCancel(connection_.get()); handle != nullptr) {
    char ignored[64];
    PQcancel(handle, ignored, sizeof ignored);
    PQfreeCancel(handle);
  }
  connection_.reset();
}

}  // namespace visage::sidecar::db
