// Asks a service over HTTPS, with a client certificate, within one time limit for all of it.
//
// Not httplib's client: its limits are for each read, so a service that sends a byte now and then would hold
// a thread for ever. The name of the service is resolved at each call, by the system's resolver, whose own
// time limits come on top.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "core/base/status.h"
#include "sidecar/adapter/reason.h"
#include "sidecar/adapter/url.h"
#include "sidecar/app/wiped.h"
#include "sidecar/http/tls.h"

namespace visage::sidecar::adapter {

struct ServiceSettings {
  std::string url;          // https://host[:port]/path; empty: there is no such service
  std::string ca;           // PEM: the only authority that its certificate may have
  std::string certificate;  // PEM: who we are
  std::string key;          // PEM, mode 0600
  unsigned timeout_ms = 3000;
};

class HttpsClient {
 public:
  // So that a service which hangs takes no more than these of the daemon's threads.
  static constexpr int kMostAtOnce = 16;

  // Reads the files; once, before anything is asked.
  Status prepare(const ServiceSettings& settings);
  bool enabled() const { return tls_ != nullptr; }

  // Posts JSON. `answer` receives the body of a 200 of at most `most` bytes. Thread-safe.
  Doubt post(std::string_view json, size_t most, WipedBytes& answer) const;

 private:
  Url url_;
  std::chrono::milliseconds timeout_{0};
  http::TlsContext tls_;
  mutable std::atomic<int> waiting_{0};
};

}  // namespace visage::sidecar::adapter
