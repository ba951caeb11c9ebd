// A statement of another service: lines "name: value", signed by that service.
//
//   visage/otp/1
//   service: sms
//   …
//   signature: base64
//
// Each kind of statement has its lines in one order, each ended by LF; the last LF may be missing. The
// signature is over all that comes before its line: Ed25519 (RFC 8032), or ECDSA over P-256 or P-384 with
// SHA-256 in DER. The first line names the kind, so that none passes for another.
#pragma once

#include <string_view>

#include "core/base/bytes.h"
#include "core/base/status.h"

namespace visage::statement {

inline constexpr size_t kMaxSignature = 144;

struct Signature {
  uint8_t bytes[kMaxSignature];
  size_t size;
};

// The lines of a text, one after the other. Values are views into it.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  size_t position() const { return position_; }
  bool at_end() const { return position_ == text_.size(); }
  // The rest of the next line behind `prefix`; false, and nothing taken, when it begins otherwise.
  bool next(std::string_view prefix, std::string_view& value);
  // The line "signature: …", which is the last one; `signed_text` is all before it.
  bool end(std::string_view& signed_text, Signature& out);

 private:
  std::string_view text_;
  size_t position_ = 0;
};

// Values. Each has one spelling: lower-case hexadecimal, decimal without leading zeros.
bool parse_hex(std::string_view text, MutableBytes out);
bool parse_seconds(std::string_view text, int64_t& out);  // since 1970
bool is_name(std::string_view text, size_t max);          // no control characters

// kAuthenticationFailed when it does not hold; kInvalidArgument when the key is none of ours.
Status verify(std::string_view signed_text, const Signature& signature, std::string_view public_key_pem);
// kInvalidArgument says what kind of key it must be.
Status check_public_key(std::string_view pem);

}  // namespace visage::statement
