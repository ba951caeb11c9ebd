// The bank's own service for one-time codes: sends one, and signs that it was answered rightly.   [6.6e]
// [B.2]
//
// The signed assertion (core/factor/assertion.h) is not looked at here: the database has the service's public
// key and decides. docs/adapters.md has the protocol.
#pragma once

#include "sidecar/adapter/https_client.h"
#include "sidecar/adapter/otp_answer.h"
#include "sidecar/app/metrics.h"

namespace visage::sidecar::adapter {

struct OtpRequest {
  std::string_view subject;
  std::string_view nonce;  // the session's, 64 hexadecimal digits
  Bytes code;              // what the person typed; empty: one is to be sent
};

class OtpService {
 public:
  explicit OtpService(Metrics& metrics);
  // Reads the files; once, before anything is asked.
  Status prepare(const ServiceSettings& settings);
  bool enabled() const { return client_.enabled(); }

  // Thread-safe.
  Doubt ask(const OtpRequest& request, OtpAnswer& out) const;

 private:
  Doubt exchange(const OtpRequest& request, OtpAnswer& out) const;

  Metrics& metrics_;
  HttpsClient client_;
};

}  // namespace visage::sidecar::adapter
