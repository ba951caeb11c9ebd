#include "sidecar/http/server.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "sidecar/app/log.h"
#include "sidecar/http/endpoint.h"

namespace visage::sidecar::http {
namespace {

constexpr auto kHandshakeTime = std::chrono::seconds(5);
constexpr auto kAnswerTime = std::chrono::seconds(10);
// How long a closing connection is read on, so that its answer is not lost to a reset: long for a caller in
// the middle of an upload, unless others wait for the thread.
constexpr auto kLingerTime = std::chrono::milliseconds(250);
constexpr auto kUploadLingerTime = std::chrono::milliseconds(2000);
// What a new connection gets to say its first byte when others wait for its thread.
constexpr auto kFirstByteTime = std::chrono::seconds(1);

// The exchange that this thread serves: httplib's hooks have no argument of ours. Set by serve_one() only.
thread_local Exchange* current = nullptr;
thread_local LogScope* scope = nullptr;

// The caller's trace, unless it sent several or none that is well-formed.
void adopt_trace(const httplib::Request& request) {
  if (request.get_header_value_count("traceparent") == 1)
    current->trace = continue_trace(request.headers.find("traceparent")->second);
  scope->set_trace(current->trace.trace_id);
}

// httplib deletes its queue when it stops listening; ours is asked for its length from other threads after
// that.
class BorrowedQueue : public httplib::TaskQueue {
 public:
  explicit BorrowedQueue(WorkerQueue& queue) : queue_(queue) {}
  void enqueue(std::function<void()> task) override { queue_.enqueue(std::move(task)); }
  void shutdown() override { queue_.shutdown(); }

 private:
  WorkerQueue& queue_;
};

// Takes away what httplib would act upon itself: compressing answers, cutting ranges out of them, sending
// "100 Continue" before we have looked at the caller.
void prepare_request(Connection& connection, httplib::Request& request) {
  const bool expects = request.get_header_value("Expect") == "100-continue";
  request.headers.erase("Expect");
  request.headers.erase("Accept-Encoding");
  request.ranges.clear();
  size_t length = 0;
  if (request.has_header("Content-Length"))
    length = std::strtoull(request.get_header_value("Content-Length").c_str(), nullptr, 10);
  else if (request.has_header("Transfer-Encoding"))
    length = 1;  // unknown, and never read: such a request is refused and its connection closed
  connection.end_headers(length, expects);
}

bool wants_close(const httplib::Request& request) {
  std::string value = request.get_header_value("Connection");
  std::transform(value.begin(), value.end(), value.begin(), [](unsigned char c) { return std::tolower(c); });
  return request.version == "HTTP/1.0" || value.find("close") != std::string::npos;
}

// What httplib could not parse, or what it gave up on.
Problem protocol_problem(Connection::Trouble trouble, int status) {
  if (trouble == Connection::Trouble::kTimedOut)
    return {ProblemCode::kRequestTimeout, "Send the whole request within the time limit."};
  if (trouble == Connection::Trouble::kHeadersTooLarge)
    return {ProblemCode::kHeadersTooLarge, "Send at most 32 KiB of request headers."};
  if (status == 414) return {ProblemCode::kUriTooLong, "Send a request target of at most 8 KiB."};
  return {ProblemCode::kMalformedRequest, "Send a well-formed HTTP/1.1 request."};
}

}  // namespace

Server::Server(ServerLimits limits, SSL_CTX* tls, Handler handler, Observer observer)
    : limits_(limits),
      tls_(tls),
      handler_(std::move(handler)),
      observer_(std::move(observer)),
      queue_(limits.connections, 2 * limits.connections) {
  install_hooks();
}

void Server::install_hooks() {
  new_task_queue = [this]() -> httplib::TaskQueue* { return new BorrowedQueue(queue_); };
  set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    current->request = &request;
    current->response = &response;
    adopt_trace(request);
    try {
      handler_(*current);
    } catch (const std::exception&) {
      answer_problem(*current,
                     {ProblemCode::kInternal, "The request failed inside visaged; its log has the id."});
    }
    return HandlerResponse::Handled;
  });
  set_error_handler([](const httplib::Request& request, httplib::Response& response) {
    current->request = &request;
    current->response = &response;
    if (!response.body.empty()) return;
    current->close_after = true;
    answer_problem(*current, protocol_problem(current->connection.trouble(), response.status));
  });
  set_post_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    response.headers.erase("Keep-Alive");
    response.headers.erase("Connection");
    response.set_header("X-Request-Id", current->id);
    response.set_header("traceresponse", current->trace.text());
    response.set_header("Cache-Control", "no-store");
    response.set_header("X-Content-Type-Options", "nosniff");
    current->close_after = current->close_after || draining_ || wants_close(request) ||
                           current->connection.unread_body() != 0 ||
                           current->connection.trouble() != Connection::Trouble::kNone;
    if (current->close_after) response.set_header("Connection", "close");
    current->connection.begin_answer(Clock::now() + kAnswerTime);
  });
  set_logger([this](const httplib::Request&, const httplib::Response& response) {
    observer_(*current, response.status);
  });
}

Status Server::bind(const std::string& where, std::string& bound) {
  Endpoint endpoint;
  VISAGE_TRY(resolve_endpoint(where, endpoint));
  int listener = -1;
  VISAGE_TRY(open_listener(endpoint, listener, bound));
  svr_sock_ = listener;
  return {};
}

void Server::run() {
  listen_after_bind();
}

void Server::drain() {
  draining_ = true;
  // stop() does nothing before the accept loop runs; a shut down socket makes the loop end as soon as it
  // starts.
  if (is_running())
    stop();
  else
    ::shutdown(svr_sock_, SHUT_RDWR);
}

bool Server::process_and_close_socket(socket_t socket) {
  Connection connection(socket, tls_);
  if (WorkerQueue::overloaded()) {
    refuse_connection(connection);
    return true;
  }
  ++open_connections_;
  if (connection.handshake(Clock::now() + kHandshakeTime)) serve(connection);
  --open_connections_;
  return true;
}

// Runs on the accepting thread, so it must not wait for the peer; with TLS there is nothing to say without a
// handshake, and the connection just ends.
void Server::refuse_connection(Connection& connection) {
  if (connection.is_tls()) return;
  const Exchange exchange(connection);
  const LogScope logged(exchange.id, exchange.trace.trace_id);
  const Problem problem{ProblemCode::kBusy, "All connections are taken; try again after Retry-After.", 1};
  const std::string text = raw_problem(problem, exchange.id);
  connection.begin_answer(Clock::now() + std::chrono::milliseconds(10));
  connection.write(text.data(), text.size());
  connection.close_gently(Clock::now());
  observer_(exchange, status_of(problem.code));
}

void Server::serve(Connection& connection) {
  const auto opened = Clock::now();
  const auto impatient = [&] { return waiting_connections() > 0 && Clock::now() > opened + kFirstByteTime; };
  // A thread that only waits for a caller's next request is given to a connection that waits for a thread.
  const auto wanted_back = [&] { return draining_ || waiting_connections() > 0; };
  bool ready = connection.await_request(opened + limits_.idle, impatient);
  while (ready && serve_one(connection))
    ready = connection.await_request(Clock::now() + limits_.idle, wanted_back);
  const bool uploading = connection.unread_body() != 0 && waiting_connections() == 0;
  connection.close_gently(Clock::now() + (uploading ? kUploadLingerTime : kLingerTime));
}

// Returns whether the connection can take another request.
bool Server::serve_one(Connection& connection) {
  Exchange exchange(connection);
  exchange.wanted_back = [this] { return draining_ || waiting_connections() > 0; };
  LogScope logged(exchange.id, exchange.trace.trace_id);
  connection.begin_request(exchange.started + limits_.request);
  current = &exchange;
  scope = &logged;
  bool closed = false;
  const bool written = process_request(
      connection, false, closed, [&](httplib::Request& request) { prepare_request(connection, request); });
  const auto trouble = connection.trouble();
  if (!written && exchange.response == nullptr &&
      (trouble == Connection::Trouble::kTimedOut || trouble == Connection::Trouble::kHeadersTooLarge)) {
    // Not even a request line: httplib says nothing, so we do.
    const Problem problem = protocol_problem(trouble, 0);
    const std::string text = raw_problem(problem, exchange.id);
    connection.begin_answer(Clock::now() + kLingerTime);
    connection.write(text.data(), text.size());
    exchange.code = name_of(problem.code);
    observer_(exchange, status_of(problem.code));
  }
  current = nullptr;
  scope = nullptr;
  return written && !closed && !exchange.close_after;
}

}  // namespace visage::sidecar::http
