#include "sidecar/app/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

namespace visage::sidecar {
namespace {

struct Served {
  std::string_view request_id, trace_id;
};
// What this thread serves, and the request whose line it is writing. spdlog formats on the thread that logs.
thread_local Served served;
thread_local const RequestLine* answered = nullptr;

// RFC 3339 in UTC: logs of several machines are read together.
std::string time_text(spdlog::log_clock::time_point time) {
  const auto since = time.time_since_epoch();
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(since).count();
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(since).count() % 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[48];
  const size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + length, sizeof text - length, ".%03dZ", static_cast<int>(milliseconds));
  return text;
}

class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& event, spdlog::memory_buf_t& out) override {
    const std::string_view level(spdlog::level::to_string_view(event.level).data(),
                                 spdlog::level::to_string_view(event.level).size());
    nlohmann::ordered_json line = {{"time", time_text(event.time)}, {"level", level}};
    if (answered == nullptr) line["message"] = std::string(event.payload.data(), event.payload.size());
    if (!served.request_id.empty()) line["request_id"] = served.request_id;
    if (!served.trace_id.empty()) line["trace_id"] = served.trace_id;
    if (answered != nullptr) {
      line["route"] = answered->route;
      line["status"] = answered->status;
      line["code"] = answered->code;
      line["caller"] = answered->caller;
      line["duration_ms"] = std::round(answered->milliseconds * 10) / 10;
    }
    const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonFormatter>(); }
};

}  // namespace

void start_log(LogFormat format, const std::string& level) {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("visaged"));
  if (format == LogFormat::kJson)
    spdlog::set_formatter(std::make_unique<JsonFormatter>());
  else
    spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  spdlog::set_level(spdlog::level::from_str(level));
  spdlog::flush_on(spdlog::level::info);
}

void log_request(const RequestLine& line) {
  answered = &line;
  // The words are the text format's; JSON takes the fields.
  spdlog::info("request={} trace={} route={} status={} code={} caller={} ms={:.1f}", served.request_id,
               served.trace_id, line.route, line.status, line.code, line.caller, line.milliseconds);
  answered = nullptr;
}

LogScope::LogScope(std::string_view request_id, std::string_view trace_id) {
  served = {request_id, trace_id};
}
LogScope::~LogScope() {
  served = {};
}
void LogScope::set_trace(std::string_view trace_id) {
  served.trace_id = trace_id;
}

}  // namespace visage::sidecar
