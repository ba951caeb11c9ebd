#include "sidecar/http/connection.h"

#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace visage::sidecar::http {
namespace {

// All header lines of one request together; httplib itself bounds only each line.
constexpr size_t kHeaderBudget = 32 * 1024;
// What is thrown away in one call when a connection ends.
constexpr size_t kDiscardSize = 1 << 20;
// How often an idle connection looks whether the server wants its thread back.
constexpr auto kIdleSlice = std::chrono::milliseconds(100);

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 3600000));
}

void describe_peer(int socket, bool remote, std::string& ip, int& port) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  char host[NI_MAXHOST], service[NI_MAXSERV];
  if ((remote ? getpeername(socket, generic, &length) : getsockname(socket, generic, &length)) != 0) return;
  if (getnameinfo(generic, length, host, sizeof host, service, sizeof service,
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return;
  ip = host;
  port = std::atoi(service);
}

}  // namespace

Connection::Connection(int socket, SSL_CTX* tls) : socket_(socket) {
  fcntl(socket_, F_SETFL, fcntl(socket_, F_GETFL) | O_NONBLOCK);
  const int yes = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (tls == nullptr) return;
  tls_ = SSL_new(tls);
  if (tls_ == nullptr || SSL_set_fd(tls_, socket_) != 1) trouble_ = Trouble::kError;
}

Connection::~Connection() {
  drop_buffer();
  if (tls_ != nullptr) SSL_free(tls_);
  close(socket_);
}

void Connection::drop_buffer() {
  wipe(buffer_.data(), filled_);
  position_ = filled_ = 0;
}

bool Connection::wait(short events) {
  for (;;) {
    const int left = milliseconds_until(deadline_);
    if (left == 0) {
      trouble_ = Trouble::kTimedOut;
      return false;
    }
    pollfd entry{socket_, events, 0};
    const int ready = poll(&entry, 1, left);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) {
      trouble_ = Trouble::kError;
      return false;
    }
  }
}

bool Connection::wait_for_tls(int result) {
  switch (SSL_get_error(tls_, result)) {
    case SSL_ERROR_WANT_READ:
      return wait(POLLIN);
    case SSL_ERROR_WANT_WRITE:
      return wait(POLLOUT);
    case SSL_ERROR_ZERO_RETURN:
      trouble_ = Trouble::kClosed;
      return false;
    default:
      trouble_ = Trouble::kError;
      return false;
  }
}

bool Connection::handshake(Clock::time_point deadline) {
  if (tls_ == nullptr) return trouble_ == Trouble::kNone;
  deadline_ = deadline;
  for (;;) {
    ERR_clear_error();
    const int result = SSL_accept(tls_);
    if (result == 1) return true;
    if (!wait_for_tls(result)) return false;
  }
}

ssize_t Connection::receive(char* to, size_t size) {
  if (trouble_ != Trouble::kNone) return -1;
  for (;;) {
    // A peer that always has one more byte ready never makes us wait, so the clock is looked at here as well.
    if (Clock::now() >= deadline_) {
      trouble_ = Trouble::kTimedOut;
      return -1;
    }
    if (tls_ != nullptr) {
      ERR_clear_error();
      const int got = SSL_read(tls_, to, static_cast<int>(std::min<size_t>(size, 1 << 20)));
      if (got > 0) return got;
      if (!wait_for_tls(got)) return trouble_ == Trouble::kClosed ? 0 : -1;
      continue;
    }
    const ssize_t got = recv(socket_, to, size, 0);
    if (got > 0) return got;
    if (got == 0) {
      trouble_ = Trouble::kClosed;
      return 0;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
      trouble_ = Trouble::kError;
      return -1;
    }
    if (!wait(POLLIN)) return -1;
  }
}

ssize_t Connection::read(char* to, size_t size) {
  if (position_ == filled_) {
    drop_buffer();
    const ssize_t got = receive(buffer_.data(), buffer_.size());
    if (got <= 0) return got;
    filled_ = static_cast<size_t>(got);
  }
  const size_t count = std::min(size, filled_ - position_);
  if (in_headers_) {
    if (count > header_budget_) {
      trouble_ = Trouble::kHeadersTooLarge;
      return -1;
    }
    header_budget_ -= count;
  }
  std::memcpy(to, buffer_.data() + position_, count);
  position_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t Connection::write(const char* from, size_t size) {
  size_t sent = 0;
  while (sent < size) {
    if (trouble_ == Trouble::kError || trouble_ == Trouble::kTimedOut) return -1;
    if (tls_ != nullptr) {
      ERR_clear_error();
      const int put = SSL_write(tls_, from + sent, static_cast<int>(std::min<size_t>(size - sent, 1 << 20)));
      if (put > 0)
        sent += static_cast<size_t>(put);
      else if (!wait_for_tls(put))
        return -1;
      continue;
    }
    const ssize_t put = send(socket_, from + sent, size - sent, MSG_NOSIGNAL);
    if (put >= 0) {
      sent += static_cast<size_t>(put);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (!wait(POLLOUT)) return -1;
    } else if (errno != EINTR) {
      trouble_ = Trouble::kError;
      return -1;
    }
  }
  return static_cast<ssize_t>(size);
}

bool Connection::await_request(Clock::time_point deadline, const std::function<bool()>& give_up) {
  if (position_ < filled_ || (tls_ != nullptr && SSL_pending(tls_) > 0)) return true;
  while (Clock::now() < deadline && !give_up()) {
    pollfd entry{socket_, POLLIN, 0};
    const auto slice = std::min<Clock::time_point>(deadline, Clock::now() + kIdleSlice);
    const int ready = poll(&entry, 1, milliseconds_until(slice));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
  return false;
}

void Connection::begin_request(Clock::time_point deadline) {
  deadline_ = deadline;
  in_headers_ = true;
  header_budget_ = kHeaderBudget;
  unread_body_ = 0;
  expects_continue_ = false;
}

void Connection::end_headers(size_t body_size, bool expects_continue) {
  in_headers_ = false;
  unread_body_ = body_size;
  expects_continue_ = expects_continue;
}

bool Connection::read_body(WipedBytes& body) {
  if (expects_continue_ && httplib::Stream::write("HTTP/1.1 100 Continue\r\n\r\n") < 0) return false;
  expects_continue_ = false;
  body.resize(unread_body_);
  size_t filled = 0;
  while (filled < body.size()) {
    auto* to = reinterpret_cast<char*>(body.data()) + filled;
    const size_t wanted = body.size() - filled;
    const ssize_t got = position_ < filled_ ? read(to, wanted) : receive(to, wanted);
    if (got <= 0) return false;
    filled += static_cast<size_t>(got);
    unread_body_ -= static_cast<size_t>(got);
  }
  return true;
}

void Connection::forget_request() {
  // What is left of a body that nobody reads leads to no further request.
  if (unread_body_ != 0 || position_ == filled_) return drop_buffer();
  wipe(buffer_.data(), position_);
}

void Connection::begin_answer(Clock::time_point deadline) {
  forget_request();
  deadline_ = deadline;
  // A late or too long request is answered all the same; a broken connection is not.
  if (trouble_ == Trouble::kTimedOut || trouble_ == Trouble::kHeadersTooLarge) trouble_ = Trouble::kNone;
}

void Connection::close_gently(Clock::time_point deadline) {
  if (trouble_ == Trouble::kError) return;
  deadline_ = deadline;
  trouble_ = Trouble::kNone;
  drop_buffer();
  if (tls_ != nullptr) SSL_shutdown(tls_);
  shutdown(socket_, SHUT_WR);
  // Closing with unread input would reset the connection and the peer might never see the answer.
  // The kernel throws it away (MSG_TRUNC, tcp(7)): what a refused caller sends never enters our memory.
  for (;;) {
    const ssize_t got = recv(socket_, nullptr, kDiscardSize, MSG_TRUNC);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) break;
    if (Clock::now() >= deadline || (got < 0 && !wait(POLLIN))) break;
  }
}

void Connection::get_remote_ip_and_port(std::string& ip, int& port) const {
  describe_peer(socket_, true, ip, port);
}
void Connection::get_local_ip_and_port(std::string& ip, int& port) const {
  describe_peer(socket_, false, ip, port);
}

}  // namespace visage::sidecar::http
