#include "sidecar/adapter/https_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "sidecar/adapter/http_answer.h"

namespace visage::sidecar::adapter {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMaxHead = 16 * 1024;
constexpr size_t kPiece = 16 * 1024;

bool is_address(const std::string& host) {
  in6_addr scratch;
  return inet_pton(AF_INET, host.c_str(), &scratch) == 1 || inet_pton(AF_INET6, host.c_str(), &scratch) == 1;
}

// One exchange. Every wait ends at the deadline.
class Call {
 public:
  explicit Call(Clock::time_point deadline) : deadline_(deadline) {}
  ~Call() {
    tls_.reset();
    close_socket();
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  Doubt connect(const Url& url);
  Doubt shake_hands(SSL_CTX* context, const Url& url);
  Doubt send(std::string_view text);
  Doubt receive(size_t most, WipedBytes& received, HttpAnswer& answer);

 private:
  struct Free {
    void operator()(SSL* tls) const { SSL_free(tls); }
    void operator()(addrinfo* list) const { freeaddrinfo(list); }
  };

  void close_socket() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
  }
  Doubt wait(short events) const;
  Doubt connect_to(const addrinfo& address);
  // After a call that gave `result`: waits for what it waits for, or says why there is nothing to wait for.
  Doubt wait_for_tls(int result);

  const Clock::time_point deadline_;
  int socket_ = -1;
  std::unique_ptr<SSL, Free> tls_;
};

Doubt Call::wait(short events) const {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
    if (left <= 0) return Reason::kTimedOut;
    pollfd entry{socket_, events, 0};
    const int ready = poll(&entry, 1, static_cast<int>(std::min<long long>(left, 3600000)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return Reason::kUnreachable;
  }
}

Doubt Call::connect_to(const addrinfo& address) {
  close_socket();
  socket_ = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket_ < 0) return Reason::kUnreachable;
  if (::connect(socket_, address.ai_addr, address.ai_addrlen) == 0) return {};
  if (errno != EINPROGRESS) return Reason::kUnreachable;
  if (const Doubt doubt = wait(POLLOUT)) return doubt;
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
    return Reason::kUnreachable;
  return {};
}

Doubt Call::connect(const Url& url) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &found) != 0) return Reason::kUnreachable;
  const std::unique_ptr<addrinfo, Free> owner(found);
  Doubt doubt = Reason::kUnreachable;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next)
    if (doubt = connect_to(*address); !doubt || *doubt == Reason::kTimedOut) break;
  return doubt;
}

Doubt Call::wait_for_tls(int result) {
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return wait(POLLIN);
    case SSL_ERROR_WANT_WRITE:
      return wait(POLLOUT);
    default:
      ERR_clear_error();
      return Reason::kTlsFailed;
  }
}

Doubt Call::shake_hands(SSL_CTX* context, const Url& url) {
  tls_.reset(SSL_new(context));
  if (!tls_ || SSL_set_fd(tls_.get(), socket_) != 1) return Reason::kTlsFailed;
  // An address in a certificate is not a name, and is not sent as one.
  const bool named = !is_address(url.host);
  const int bound = named ? SSL_set1_host(tls_.get(), url.host.c_str())
                          : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_.get()), url.host.c_str());
  if (bound != 1 || (named && SSL_set_tlsext_host_name(tls_.get(), url.host.c_str()) != 1))
    return Reason::kTlsFailed;
  for (;;) {
    ERR_clear_error();
    const int result = SSL_connect(tls_.get());
    if (result == 1) return {};
    const Doubt doubt = wait_for_tls(result);
    if (!doubt) continue;
    if (*doubt == Reason::kTlsFailed && SSL_get_verify_result(tls_.get()) != X509_V_OK)
      return Reason::kUntrustedCertificate;
    return doubt;
  }
}

Doubt Call::send(std::string_view text) {
  while (!text.empty()) {
    ERR_clear_error();
    const int sent =
        SSL_write(tls_.get(), text.data(), static_cast<int>(std::min<size_t>(text.size(), 1 << 20)));
    if (sent > 0)
      text.remove_prefix(static_cast<size_t>(sent));
    else if (const Doubt doubt = wait_for_tls(sent))
      return doubt;
  }
  return {};
}

Doubt Call::receive(size_t most, WipedBytes& received, HttpAnswer& answer) {
  bool ended = false;
  for (;;) {
    switch (look_at_answer(received, ended, answer)) {
      case AnswerState::kComplete:
        return {};
      case AnswerState::kMalformed:
        return Reason::kMalformedAnswer;
      case AnswerState::kIncomplete:
        break;
    }
    if (received.size() > most + kMaxHead) return Reason::kMalformedAnswer;
    // A service that always has one more byte ready never makes us wait.
    if (Clock::now() >= deadline_) return Reason::kTimedOut;
    const size_t before = received.size();
    received.resize(before + kPiece);
    ERR_clear_error();
    const int got = SSL_read(tls_.get(), received.data() + before, kPiece);
    received.resize(before + static_cast<size_t>(std::max(got, 0)));
    if (got > 0) continue;
    // Only an end that was told: one that was not may be anybody's.
    ended = SSL_get_error(tls_.get(), got) == SSL_ERROR_ZERO_RETURN;
    if (ended) continue;
    if (const Doubt doubt = wait_for_tls(got)) return doubt;
  }
}

// Restores the count whichever way the call ends.
class Turn {
 public:
  explicit Turn(std::atomic<int>& count) : count_(count), number_(++count) {}
  ~Turn() { --count_; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  bool granted() const { return number_ <= HttpsClient::kMostAtOnce; }

 private:
  std::atomic<int>& count_;
  const int number_;
};

}  // namespace

Status HttpsClient::prepare(const ServiceSettings& settings) {
  VISAGE_TRY(parse_url(settings.url, url_));
  timeout_ = std::chrono::milliseconds(settings.timeout_ms);
  return http::make_tls_client_context({settings.certificate, settings.key, settings.ca}, tls_);
}

Doubt HttpsClient::post(std::string_view json, size_t most, WipedBytes& answer) const {
  const Turn turn(waiting_);
  if (!turn.granted()) return Reason::kTooMany;
  const bool v6 = url_.host.find(':') != std::string::npos;
  WipedString request;
  request.reserve(json.size() + 512);
  request.append("POST ").append(url_.path).append(" HTTP/1.0\r\nHost: ");
  request.append(v6 ? "[" : "").append(url_.host).append(v6 ? "]:" : ":").append(url_.port);
  request.append(
      "\r\nContent-Type: application/json\r\nAccept: application/json\r\nConnection: "
      "close\r\nContent-Length: ");
  request.append(std::to_string(json.size())).append("\r\n\r\n").append(json);
  Call call(Clock::now() + timeout_);
  WipedBytes received;
  HttpAnswer parsed;
  Doubt doubt = call.connect(url_);
  if (!doubt) doubt = call.shake_hands(tls_.get(), url_);
  if (!doubt) doubt = call.send(request);
  if (!doubt) doubt = call.receive(most, received, parsed);
  if (doubt) return doubt;
  if (parsed.status != 200) return Reason::kHttpStatus;
  if (parsed.body.size() > most) return Reason::kMalformedAnswer;
  answer.assign(parsed.body.begin(), parsed.body.end());
  return {};
}

}  // namespace visage::sidecar::adapter
