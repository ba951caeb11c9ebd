// The HTTP server: cpp-httplib for the protocol, with our own connections, threads and limits under it.
//
// httplib accepts, parses the request line and headers, and writes answers. Everything that decides or that
// touches a body is ours: a request goes to Handler with its body still on the wire, so nothing is read from
// a caller who may not call.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "core/base/status.h"
#include "sidecar/http/exchange.h"
#include "sidecar/http/worker_queue.h"

namespace visage::sidecar::http {

struct ServerLimits {
  std::chrono::milliseconds request{10000};  // first byte to last byte of the body
  std::chrono::milliseconds idle{5000};
  size_t connections = 64;  // served at a time; twice as many may wait
};

class Server : private httplib::Server {
 public:
  // Answers through the exchange. May throw: that is answered with INTERNAL.
  using Handler = std::function<void(Exchange&)>;
  // Called once a request, after its answer was written.
  using Observer = std::function<void(const Exchange&, int status)>;

  // `tls` (owned by the caller, outliving the server) may be null.
  Server(ServerLimits limits, SSL_CTX* tls, Handler handler, Observer observer);

  // "host:port"; `bound` receives the address with the real port.
  Status bind(const std::string& where, std::string& bound);
  // Serves until drain(), then finishes what is running and returns. Once.
  void run();
  // Stops accepting; idle connections are closed, requests under way are answered. From any thread.
  void drain();

  size_t open_connections() const { return open_connections_; }
  size_t waiting_connections() const { return queue_.waiting(); }

 private:
  bool process_and_close_socket(socket_t socket) override;
  void serve(Connection& connection);
  bool serve_one(Connection& connection);
  void refuse_connection(Connection& connection);
  void install_hooks();

  const ServerLimits limits_;
  SSL_CTX* const tls_;
  const Handler handler_;
  const Observer observer_;
  std::atomic<bool> draining_{false};
  std::atomic<size_t> open_connections_{0};
  WorkerQueue queue_;
};

}  // namespace visage::sidecar::http
