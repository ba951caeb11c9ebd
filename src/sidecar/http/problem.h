// Error answers: RFC 9457 problem documents, each with a stable code.
//
// Only bad input, bad state and faults are problems. A face that does not match, an attack, a lock are
// results and travel as 200 (src/sidecar/http/flows.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace visage::sidecar::http {

enum class ProblemCode {
  // what the caller sent
  kMalformedRequest,
  kMalformedJson,
  kMalformedMultipart,
  kMalformedBase64,
  kInvalidValue,
  kMissingPart,
  kDuplicatePart,
  kUnknownPart,
  kUnsupportedMediaType,
  kLengthRequired,
  kBodyTooLarge,
  kHeadersTooLarge,
  kUriTooLong,
  kRequestTimeout,
  // what is in the picture
  kNoFace,
  kSeveralFaces,
  kUnreadableImage,
  kUnsupportedImage,
  kImageTooLarge,
  kImageTooSmall,
  kDecodeTimeout,
  kPoorPhoto,
  // who calls what
  kUnauthenticated,
  kForbidden,
  kNotFound,
  kMethodNotAllowed,
  kRateLimited,
  // what we cannot do now
  kNotReady,
  kBusy,
  kDatabaseUnavailable,
  kDatabaseTimeout,
  kDatabaseReadOnly,
  kDatabaseMisconfigured,
  kInternal,
  // what another service left open
  kUndetermined,
};

struct Problem {
  ProblemCode code;
  std::string detail;            // one sentence that says what to do; never a secret, never the caller's data
  unsigned retry_after = 0;      // seconds; 0: no header
  std::string allow = {};        // for kMethodNotAllowed
  std::string_view reason = {};  // for kUndetermined: "STALE_ANSWER"; a constant
};

// Absent means that all is well.
using Failure = std::optional<Problem>;

#define VISAGE_HTTP_TRY(expression)                                      \
  do {                                                                   \
    if (auto visage_failure = (expression); visage_failure) [[unlikely]] \
      return visage_failure;                                             \
  } while (0)

int status_of(ProblemCode code);
std::string_view name_of(ProblemCode code);  // "NO_FACE": stable, for programs
// The document, with `instance` urn:uuid:<request_id>.
std::string render_problem(const Problem& problem, std::string_view request_id);

}  // namespace visage::sidecar::http
