// Errors as values.
//
// Status and Result are trivially destructible on purpose: the PostgreSQL layer may leave a frame by longjmp
// while one of them is live, which is undefined for anything with a destructor.
//
// A message names what is wrong and never contains key material, a feature, or bytes of an envelope.
#pragma once

#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <type_traits>

namespace visage {

// What went wrong, by what the caller can do about it. src/pg/boundary.cpp maps each to one SQLSTATE.
enum class Code : uint8_t {
  kOk = 0,
  kInvalidArgument,       // the caller passed a value outside the contract
  kMalformed,             // bytes that are not an envelope, key or text form of ours
  kUnsupported,           // a version, suite or scheme that this build does not know
  kAuthenticationFailed,  // well-formed bytes that do not open: altered, moved, or another key
  kKeyMissing,            // the key version that the bytes name is not loaded
  kKeyInvalid,            // a key provider's output breaks its format
  kInternal,              // a library failed; never expected
};

struct [[nodiscard]] Status {
  Code code = Code::kOk;
  char message[183];

  Status() { message[0] = '\0'; }

  [[gnu::format(printf, 2, 3)]] static Status error(Code code, const char* format, ...) {
    Status status;
    status.code = code;
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(status.message, sizeof status.message, format, arguments);
    va_end(arguments);
    return status;
  }

  bool ok() const { return code == Code::kOk; }
};

static_assert(std::is_trivially_destructible_v<Status>);

#define VISAGE_TRY(expression)                                                           \
  do {                                                                                   \
    if (::visage::Status visage_status = (expression); !visage_status.ok()) [[unlikely]] \
      return visage_status;                                                              \
  } while (0)

}  // namespace visage
