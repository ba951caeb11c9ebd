// One libpq connection, with a time limit on every answer.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "sidecar/db/error.h"

namespace visage::sidecar::db {

struct ResultDeleter {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, ResultDeleter>;

// A parameter: text (which holds no NUL) or, for types that have a binary form, bytes.
struct Parameter {
  const char* data;
  int size;
  bool binary;
  bool is_secret = false;

  static Parameter text(const std::string& value) {
    return {value.c_str(), static_cast<int>(value.size()), false};
  }
  static Parameter bytes(Bytes value) {
    return {reinterpret_cast<const char*>(value.data()), static_cast<int>(value.size()), true};
  }
  // Of a type whose binary form is the value itself, as text is.
  static Parameter secret(Bytes value) {
    Parameter parameter = bytes(value);
    parameter.is_secret = true;
    return parameter;
  }
};

class Connection {
 public:
  // Tries to connect; usable() tells. `timeout` bounds each statement, on the server and here.
  Connection(const std::string& conninfo, std::chrono::milliseconds timeout);
  Connection(const Connection&) = delete;  // libpq holds its address
  Connection& operator=(const Connection&) = delete;

  // Connected, and the server has not hung up meanwhile (looked up without a round trip).
  bool usable();
  // The reason that the connection is not usable, without a password in it.
  std::string problem() const;
  // Runs one statement in its own transaction. On kConnectionLost and kNoAnswer the connection is finished,
  // and so it is after a secret: libpq keeps what it sent, and the server's process what it was given.
  Trouble run(const char* sql, std::span<const Parameter> parameters, Result& out);
  // Waits so long for what channels say that were listened on, and appends their payloads. False when the
  // connection is lost.
  bool hear(std::chrono::milliseconds patience, std::vector<std::string>& payloads);

 private:
  struct Deleter {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  Trouble await_result(Result& out);
  void cancel();

  std::unique_ptr<PGconn, Deleter> connection_;
  std::chrono::milliseconds timeout_;
  bool leaving_ = false;  // the server said that it ends this connection, or it carried a secret
};

}  // namespace visage::sidecar::db
