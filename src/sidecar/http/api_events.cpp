// GET /v1/sessions/{session}, and
// GET /v1/sessions/{session}/events: the session's state as server-sent events (WHATWG HTML, section 9.2),
// one when the stream begins and one at each change, until the session is over. [6.6g]
//
// A stream holds one of the server's threads. So it gives way when another connection waits for one, and
// after a while in any case; the client's EventSource comes back by itself and is told the state as it is
// then.
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "sidecar/http/api.h"

namespace visage::sidecar::http {
namespace {

constexpr auto kLook = std::chrono::milliseconds(250);
constexpr auto kHeartbeat = std::chrono::seconds(5);  // also how a client that left is noticed
constexpr auto kLongest = std::chrono::seconds(60);
constexpr auto kWriteTime = std::chrono::seconds(10);

struct Stream {
  std::string state;  // that was told last
  Clock::time_point began = Clock::now(), wrote = Clock::now();
};

bool is_over(std::string_view state) {
  return state == "SUCCEEDED" || state == "FAILED" || state == "EXPIRED";
}

}  // namespace

// Who was found by an identification that this daemon made for a page is for callers that could have asked
// themselves. [6.6f]
Failure Api::ask_session(const std::string& session, bool names, std::string& json) const {
  VISAGE_HTTP_TRY(service_.ask(db::Question::kReadSession, {session}, json));
  auto document = nlohmann::ordered_json::parse(json, nullptr, false);
  if (!names || document.at("purpose") != "identify" || document.at("decision").is_null()) return {};
  std::string found;
  VISAGE_HTTP_TRY(service_.ask(db::Question::kCandidates, {session}, found));
  document.update(nlohmann::ordered_json::parse(found, nullptr, false));
  json = document.dump();
  return {};
}

Failure Api::read_session(Exchange& exchange, const std::string& session) const {
  std::function<bool(std::string_view)> may;
  VISAGE_HTTP_TRY(auth_.check(exchange, may));
  VISAGE_HTTP_TRY(check_session(session));
  std::string json;
  VISAGE_HTTP_TRY(ask_session(session, may("identify"), json));
  answer_json(exchange, 200, render_answer(json, exchange));
  return {};
}

Failure Api::watch_session(Exchange& exchange, const std::string& session) const {
  std::function<bool(std::string_view)> may;
  VISAGE_HTTP_TRY(auth_.check(exchange, may));
  VISAGE_HTTP_TRY(check_session(session));
  const bool names = may("identify");
  std::string first;
  VISAGE_HTTP_TRY(ask_session(session, names, first));
  exchange.response->status = 200;
  // Runs on this thread, before the exchange ends: httplib writes the answer inside process_request().
  const auto write = [this, &exchange, session, names, stream = std::make_shared<Stream>()](
                         size_t, httplib::DataSink& sink) {
    const auto say = [&](const std::string& text) {
      exchange.connection.begin_answer(Clock::now() + kWriteTime);
      stream->wrote = Clock::now();
      return sink.write(text.data(), text.size());
    };
    std::string json;
    const bool known = !ask_session(session, names, json);
    const auto document = nlohmann::json::parse(json, nullptr, false);
    const std::string state = known ? document.at("state").get<std::string>() : "";
    if (known && state != stream->state) {
      const std::string begin = stream->state.empty() ? "retry: 1000\n" : "";
      stream->state = state;
      if (!say(begin + "event: state\ndata: " + json + "\n\n")) return false;
    } else if (Clock::now() - stream->wrote >= kHeartbeat && !say(": still here\n\n")) {
      return false;
    }
    if (!known || is_over(state) || Clock::now() - stream->began >= kLongest || exchange.wanted_back()) {
      sink.done();
      return true;
    }
    std::this_thread::sleep_for(kLook);
    return true;
  };
  exchange.response->set_chunked_content_provider("text/event-stream", write);
  return {};
}

}  // namespace visage::sidecar::http
