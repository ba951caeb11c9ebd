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
// Exactly these lines in this order, each ended by LF; the last LF may be missing. The signature is over all
// that comes before its line: Ed25519 (RFC 8032), or ECDSA over P-256 or P-384 with SHA-256 in DER.
#pragma once

#include <string_view>

#include "core/base/bytes.h"
#include "core/base/status.h"

namespace visage::factor {

inline constexpr size_t kNonceSize = 32;
inline constexpr size_t kMaxAssertion = 2048;
inline constexpr size_t kMaxSignature = 144;

// Views into the text that was parsed.
struct Assertion {
  std::string_view signed_text;
  std::string_view service;
  std::string_view subject;
  uint8_t nonce[kNonceSize];
  int64_t issued_at;   // seconds since 1970
  int64_t expires_at;  // likewise
  uint8_t signature[kMaxSignature];
  size_t signature_size;
};

// kMalformed names the line that is wrong.
Status parse_assertion(std::string_view text, Assertion& out);
// kAuthenticationFailed when the signature does not hold; kInvalidArgument when the key is none of ours.
Status verify_assertion(const Assertion& assertion, std::string_view public_key_pem);
// kInvalidArgument says what kind of key it must be.
Status check_public_key(std::string_view pem);

}  // namespace visage::factor
