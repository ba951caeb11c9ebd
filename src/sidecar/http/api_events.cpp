// GET /v1/sessions/{session}, and
// GET /v1/sessions/{session}/events: the session's state as server-sent events (WHATWG HTML, section 9.2),
// one when the stream begins and one at each change, until the session is over. [6.6g]
//
// The database says when to look (db/session_news.h), and with each state when its time will be over. Where
// it says nothing, which is a call on a session of neither two channels nor a page, or a lost connection, a
// slow look finds it.
//
// A stream holds one of the server's threads. So it gives way when another connection waits for one, and
// after a while in any case; the client's EventSource comes back by itself and is told the state as it is
// then.
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "sidecar/db/session_news.h"
#include "sidecar/http/api.h"

namespace visage::sidecar::http {
namespace {

constexpr auto kTurn = std::chrono::milliseconds(250);  // how soon a thread that is wanted back is given
constexpr auto kLook = std::chrono::seconds(3);
constexpr auto kHeartbeat = std::chrono::seconds(5);  // also how a client that left is noticed
constexpr auto kLongest = std::chrono::seconds(60);
constexpr auto kWriteTime = std::chrono::seconds(10);

struct Stream {
  Stream(db::SessionNews& news, const std::string& session) : watch(news, session) {}
  db::SessionNews::Watch watch;  // from before the first look, so that no news is missed
  std::string state;             // that was told last
  Clock::time_point began = Clock::now(), wrote = began, due = began;
};

// How long to wait for news: not past the next look.
std::chrono::milliseconds patience(Clock::time_point due) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - Clock::now());
  return std::clamp(left, std::chrono::milliseconds(0), std::chrono::milliseconds(kTurn));
}

// Soon enough to tell that the session's time is over, by the database's clock, when it is.
Clock::duration until_next_look(const SessionState& seen) {
  const auto over = std::chrono::ceil<std::chrono::milliseconds>(seen.left);
  return over > over.zero() ? std::min<Clock::duration>(over, kLook) : kLook;
}

bool is_over(std::string_view state) {
  return state == "SUCCEEDED" || state == "FAILED" || state == "EXPIRED";
}

}  // namespace

// Who was found by an identification that this daemon made for a page is for callers that could have asked
// themselves. [6.6f]
Failure Api::ask_session(const std::string& session, bool names, SessionState& out) const {
  std::string json;
  VISAGE_HTTP_TRY(service_.ask(db::Question::kReadSession, {session}, json));
  auto document = nlohmann::ordered_json::parse(json, nullptr, false);
  out.state = document.at("state");
  out.left = std::chrono::duration<double>(document.at("seconds").get<double>());
  document.erase("seconds");
  if (names && document.at("purpose") == "identify" && !document.at("decision").is_null()) {
    VISAGE_HTTP_TRY(service_.ask(db::Question::kCandidates, {session}, json));
    document.update(nlohmann::ordered_json::parse(json, nullptr, false));
  }
  out.json = document.dump();
  return {};
}

Failure Api::read_session(Exchange& exchange, const std::string& session) const {
  std::function<bool(std::string_view)> may;
  VISAGE_HTTP_TRY(auth_.check(exchange, may));
  VISAGE_HTTP_TRY(check_session(session));
  SessionState seen;
  VISAGE_HTTP_TRY(ask_session(session, may("identify"), seen));
  answer_json(exchange, 200, render_answer(seen.json, exchange));
  return {};
}

Failure Api::watch_session(Exchange& exchange, const std::string& session) const {
  std::function<bool(std::string_view)> may;
  VISAGE_HTTP_TRY(auth_.check(exchange, may));
  VISAGE_HTTP_TRY(check_session(session));
  const bool names = may("identify");
  SessionState first;
  VISAGE_HTTP_TRY(ask_session(session, names, first));
  exchange.response->status = 200;
  // Runs on this thread, before the exchange ends: httplib writes the answer inside process_request().
  const auto write = [this, &exchange, session, names,
                      stream = std::make_shared<Stream>(*options_.news, session)](size_t,
                                                                                  httplib::DataSink& sink) {
    const auto say = [&](const std::string& text) {
      exchange.connection.begin_answer(Clock::now() + kWriteTime);
      stream->wrote = Clock::now();
      return sink.write(text.data(), text.size());
    };
    const bool told = stream->watch.wait(patience(stream->due));
    bool known = true;
    if (told || Clock::now() >= stream->due) {
      SessionState seen;
      known = !ask_session(session, names, seen);
      stream->due = Clock::now() + until_next_look(seen);
      if (known && seen.state != stream->state) {
        const std::string begin = stream->state.empty() ? "retry: 1000\n" : "";
        stream->state = seen.state;
        if (!say(begin + "event: state\ndata: " + seen.json + "\n\n")) return false;
      }
    }
    if (Clock::now() - stream->wrote >= kHeartbeat && !say(": still here\n\n")) return false;
    if (!known || is_over(stream->state) || Clock::now() - stream->began >= kLongest ||
        exchange.wanted_back())
      sink.done();
    return true;
  };
  exchange.response->set_chunked_content_provider("text/event-stream", write);
  return {};
}

}  // namespace visage::sidecar::http
