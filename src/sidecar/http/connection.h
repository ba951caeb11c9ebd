// One accepted socket, plain or TLS, as the stream that cpp-httplib reads from and writes to.
//
// Exists because httplib's own streams time out per read: a caller that sends a byte every four seconds holds
// a thread for ever. Here everything that belongs to one phase (handshake, request, answer) shares one
// deadline. Plaintext buffers are wiped. Used by one thread at a time.
#pragma once

#define CPPHTTPLIB_OPENSSL_SUPPORT  // set by the library's pkg-config file; the class layouts depend on it
#include <httplib.h>

#include <array>
#include <chrono>
#include <functional>
#include <string>

#include "sidecar/app/wiped.h"

namespace visage::sidecar::http {

using Clock = std::chrono::steady_clock;

class Connection : public httplib::Stream {
 public:
  // What ended the last read or write early.
  enum class Trouble { kNone, kClosed, kTimedOut, kHeadersTooLarge, kError };

  // Takes the socket over. `tls` may be null.
  Connection(int socket, SSL_CTX* tls);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool handshake(Clock::time_point deadline);

  // Waits for the first byte of a request. False when none came by `deadline`, the peer left, or `give_up`
  // (asked several times a second) says so.
  bool await_request(Clock::time_point deadline, const std::function<bool()>& give_up);
  // From here to end_headers(), reads count against the header budget.
  void begin_request(Clock::time_point deadline);
  void end_headers(size_t body_size, bool expects_continue);
  // Reads the whole body into `body`, which is wiped memory; a "100 Continue" goes out first when one is
  // expected.
  bool read_body(WipedBytes& body);
  // Body bytes that were announced and not read: the connection cannot be used for another request.
  size_t unread_body() const { return unread_body_; }
  // Wipes what the buffer holds of the request, so that nothing of it is here when its answer arrives.
  void begin_answer(Clock::time_point deadline);

  // Orderly end: the peer gets our last bytes even though it may still be sending (RFC 9112 section 9.6).
  void close_gently(Clock::time_point deadline);

  Trouble trouble() const { return trouble_; }
  bool is_tls() const { return tls_ != nullptr; }
  SSL* tls() const { return tls_; }

  bool is_readable() const override { return position_ < filled_ || trouble_ == Trouble::kNone; }
  bool is_writable() const override { return trouble_ == Trouble::kNone; }
  ssize_t read(char* to, size_t size) override;
  ssize_t write(const char* from, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_; }

 private:
  ssize_t receive(char* to, size_t size);  // from the socket, waiting until the deadline
  bool wait(short events);
  bool wait_for_tls(int result);
  void drop_buffer();
  void forget_request();

  int socket_;
  SSL* tls_ = nullptr;
  Clock::time_point deadline_{};
  Trouble trouble_ = Trouble::kNone;
  bool in_headers_ = false;
  bool expects_continue_ = false;
  size_t header_budget_ = 0;
  size_t unread_body_ = 0;
  size_t position_ = 0;
  size_t filled_ = 0;
  std::array<char, 16384> buffer_;
};

}  // namespace visage::sidecar::http
