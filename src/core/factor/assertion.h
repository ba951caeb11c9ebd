// A one-time code that the caller's own service checked: the service says so in a signed text.
//
//   visage/otp/1
//   service: sms
//   subject: alice
//   nonce: 64 hexadecimal digits, the session's
//   issued: 1790000000
//   expires: 1790000300
//   signature: base64
//
// Exactly these lines in this order; core/statement says how it is signed.
#pragma once

#include <string_view>

#include "core/base/bytes.h"
#include "core/base/status.h"
#include "core/statement/statement.h"

namespace visage::factor {

inline constexpr size_t kNonceSize = 32;
inline constexpr size_t kMaxAssertion = 2048;

// Views into the text that was parsed.
struct Assertion {
  std::string_view signed_text;
  std::string_view service;
  std::string_view subject;
  uint8_t nonce[kNonceSize];
  int64_t issued_at;   // seconds since 1970
  int64_t expires_at;  // likewise
  statement::Signature signature;
};

// kMalformed names the line that is wrong.
Status parse_assertion(std::string_view text, Assertion& out);
// kAuthenticationFailed when the signature does not hold; kInvalidArgument when the key is none of ours.
Status verify_assertion(const Assertion& assertion, std::string_view public_key_pem);

}  // namespace visage::factor
