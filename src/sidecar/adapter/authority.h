// The authority's ID service: asks it about somebody, and believes only what it signed for this very request.
// [6.6d] [B.1]
#pragma once

#include "sidecar/adapter/https_client.h"
#include "sidecar/adapter/identity.h"
#include "sidecar/app/metrics.h"

namespace visage::sidecar::adapter {

struct AuthoritySettings {
  std::string name;             // as visage.authority has it
  std::string public_key_file;  // PEM
  unsigned max_age_s = 60;
  ServiceSettings service;
};

class Authority {
 public:
  explicit Authority(Metrics& metrics);
  // Reads the files; once, before anything is asked.
  Status prepare(const AuthoritySettings& settings, size_t max_photo);
  bool enabled() const { return client_.enabled(); }
  const std::string& name() const { return name_; }

  // Thread-safe.
  Doubt ask(const Fields& fields, IdentityAnswer& out) const;

 private:
  Doubt exchange(const Fields& fields, IdentityAnswer& out) const;

  Metrics& metrics_;
  std::string name_;
  Trust trust_{};
  size_t max_photo_ = 0;
  HttpsClient client_;
};

}  // namespace visage::sidecar::adapter
