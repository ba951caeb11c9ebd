// What the database said when it did not give a result.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace visage::sidecar::db {

// States of our own, in the implementation-defined range of SQL:2016 (classes I–Z), beside the server's.
inline constexpr std::string_view kNoConnection = "V0001";  // nothing was sent
inline constexpr std::string_view kConnectionLost =
    "V0002";                                            // sent, no answer: whether it took effect is unknown
inline constexpr std::string_view kNoAnswer = "V0003";  // no answer within the time limit, cancelled
inline constexpr std::string_view kPoolBusy = "V0004";  // no free connection within the time limit
inline constexpr std::string_view kUnexpected = "V0005";  // an answer of another shape than this build knows

struct Error {
  std::string sqlstate;
  std::string message;  // primary message only: details and contexts may quote values
};

// Absent means success.
using Trouble = std::optional<Error>;

}  // namespace visage::sidecar::db
