// One-time passwords by time: RFC 6238 over the HOTP of RFC 4226.
#pragma once

#include <string_view>

#include "core/base/bytes.h"
#include "core/base/status.h"

namespace visage::factor {

// Numbers are stored; never renumbered.
enum class TotpAlgorithm : uint8_t { kSha1 = 1, kSha256 = 2, kSha512 = 3 };

inline constexpr size_t kMinTotpSecret = 16;  // RFC 4226, 4: at least 128 bits
inline constexpr size_t kMaxTotpSecret = 64;
inline constexpr int kMaxTotpWindow = 10;

// Plain memory, so that it may lie where an error leaves by longjmp; its owner wipes it.
struct Totp {
  TotpAlgorithm algorithm;
  uint8_t digits;   // 6 … 8
  uint16_t period;  // seconds, 15 … 120
  uint8_t secret_size;
  uint8_t secret[kMaxTotpSecret];

  Bytes secret_view() const { return {secret, secret_size}; }
};

// From a base32 secret (RFC 4648; spaces and case do not matter), which then has the usual SHA-1, 6 digits
// and 30 s, or from the otpauth://totp/… URI that authenticator apps read as a QR code. kInvalidArgument says
// what is wrong without quoting any of it.
Status parse_totp(std::string_view text, Totp& out);

// What is sealed of it: u8 algorithm ‖ u8 digits ‖ u16 period ‖ secret.
inline constexpr size_t kMaxTotpContents = 4 + kMaxTotpSecret;
Status encode_totp(const Totp& totp, MutableBytes out, size_t& size);
Status decode_totp(Bytes contents, Totp& out);

// RFC 4226, 5.3.
Status hotp(TotpAlgorithm algorithm, Bytes secret, uint64_t counter, int digits, uint32_t& out);

// Is `code` that of a step at most `window` away from now? Every step of the window is computed, whichever
// matches. `step` is then the one that did; a step is good for one use, which its caller sees to.
Status check_totp(const Totp& totp, std::string_view code, int64_t unix_seconds, int window, bool& matches,
                  uint64_t& step);

}  // namespace visage::factor
