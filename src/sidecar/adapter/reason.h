// Why another service's answer does not count. Whatever it is, nothing was decided: a caller that gets one of
// these has neither a yes nor a no. docs/adapters.md has the table.
#pragma once

#include <optional>
#include <string_view>

#include "sidecar/http/problem.h"

namespace visage::sidecar::adapter {

enum class Reason : uint8_t {
  kUnreachable,           // no connection
  kTimedOut,              // not answered within the time limit, all of it together
  kUntrustedCertificate,  // the service's certificate: expired, another name, another authority
  kTlsFailed,             // anything else of TLS; also that the service refused our certificate
  kHttpStatus,            // answered with a status other than 200
  kMalformedAnswer,
  kWrongSignature,
  kReplayedAnswer,  // of another request
  kStaleAnswer,     // signed too long ago, or in the future
  kWrongAuthority,  // signed in another's name
  kWrongSubject,    // about other values than were asked about
  kWrongPhoto,      // the photo is not the one that was signed
  kUnusablePhoto,   // no face in it, or too poor for a comparison
  kUndecided,       // the service itself says that it does not know
  kTooMany,         // as many requests as are allowed are waiting for it
};

// Absent: it counts.
using Doubt = std::optional<Reason>;

std::string_view name(Reason reason);
// UNDETERMINED, with the reason; `service` is "The authority" and the like.
http::Problem undetermined(std::string_view service, Reason reason);

}  // namespace visage::sidecar::adapter
