// What a service of one-time codes answers.
#pragma once

#include <string_view>

#include "sidecar/adapter/reason.h"
#include "sidecar/app/wiped.h"

namespace visage::sidecar::adapter {

struct OtpAnswer {
  bool done = false;      // sent, or rightly answered
  WipedString assertion;  // of a code that was rightly answered
};

// Everything that must hold of an answer's body before it counts. `sends` tells which was asked.
Doubt read_otp_answer(const WipedBytes& body, std::string_view request_id, bool sends, OtpAnswer& out);

}  // namespace visage::sidecar::adapter
