// One-time codes of the bank's own service, sent and checked for a session. [6.6e] [8.2.2b] [B.2]
//
// What is right is not ours to say: the service signs it, and the database verifies that. docs/adapters.md
#pragma once

#include "sidecar/adapter/otp_service.h"
#include "sidecar/flow/service.h"

namespace visage::sidecar {

class CodeDesk {
 public:
  struct Whose {
    std::string session, subject;
    std::string nonce;  // the session's, 64 hexadecimal digits
  };

  CodeDesk(FlowService& service, const adapter::OtpService& otp) : service_(service), otp_(otp) {}

  // INVALID_VALUE where no service is configured.
  http::Failure admits() const;
  // `sent` is false when the service would not. Nobody is sent a code for a session that is over.
  http::Failure send(const Whose& whose, bool& sent) const;
  // What is to be shown as factor "otp" for a code. For a wrong one as well: so the database refuses it, and
  // counts the try.
  http::Failure check(const Whose& whose, Bytes code, WipedString& evidence) const;

 private:
  http::Failure ask(const Whose& whose, Bytes code, adapter::OtpAnswer& answer) const;

  FlowService& service_;
  const adapter::OtpService& otp_;
};

}  // namespace visage::sidecar
