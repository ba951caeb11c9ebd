// One request and the answer to it, on its way through the handlers. Used by one thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "sidecar/http/connection.h"
#include "sidecar/http/problem.h"
#include "sidecar/http/trace_context.h"

namespace visage::sidecar::http {

struct Exchange {
  explicit Exchange(Connection& on);

  Connection& connection;
  const httplib::Request* request = nullptr;  // null until the headers are complete
  httplib::Response* response = nullptr;
  std::string id;                      // random UUID, for the log and the caller
  TraceContext trace = new_trace();    // the caller's once the headers are complete
  Clock::time_point started;           // first byte of the request
  std::string_view route = "unknown";  // of the routing table: never what the caller typed
  std::string caller = "-";            // who it is, once known
  std::string_view code = "OK";        // problem code, for the log
  bool close_after = false;            // the connection ends with this answer
  // For answers that take their time: others wait for this thread, or the daemon is about to stop.
  std::function<bool()> wanted_back = [] { return false; };

  double elapsed_ms() const {
    return std::chrono::duration<double, std::milli>(Clock::now() - started).count();
  }
};

void answer_json(Exchange& exchange, int status, const std::string& body);
void answer_problem(Exchange& exchange, const Problem& problem);
// The same document as a whole HTTP/1.1 answer, for when there is no request to answer through httplib.
std::string raw_problem(const Problem& problem, std::string_view request_id);

}  // namespace visage::sidecar::http
