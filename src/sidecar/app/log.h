// The log: one line an event on stderr, as JSON for machines or as text for people.
//
// Lines hold routes, codes and ids; never a subject, a token, a path or a picture.
#pragma once

#include <string>
#include <string_view>

namespace visage::sidecar {

enum class LogFormat { kJson, kText };

void start_log(LogFormat format, const std::string& level);

// A request that was answered, as its line in the log has it.
struct RequestLine {
  std::string_view route;
  int status;
  std::string_view code;    // of the problem, or OK
  std::string_view caller;  // may be text of a certificate
  double milliseconds;
};
void log_request(const RequestLine& line);

// While it lives, every line that this thread logs names the request, also those of parts that know of none.
// The strings must outlive it.
class LogScope {
 public:
  LogScope(std::string_view request_id, std::string_view trace_id);
  ~LogScope();
  LogScope(const LogScope&) = delete;
  LogScope& operator=(const LogScope&) = delete;
  // The trace is known only when the request's headers are.
  void set_trace(std::string_view trace_id);
};

}  // namespace visage::sidecar
