#include "sidecar/adapter/reason.h"

namespace visage::sidecar::adapter {
namespace {

struct Words {
  std::string_view name, what;
};

Words words_of(Reason reason) {
  switch (reason) {
    case Reason::kUnreachable:
      return {"UNREACHABLE", "cannot be reached"};
    case Reason::kTimedOut:
      return {"TIMED_OUT", "did not answer in time"};
    case Reason::kUntrustedCertificate:
      return {"UNTRUSTED_CERTIFICATE", "shows a certificate that does not hold"};
    case Reason::kTlsFailed:
      return {"TLS_FAILED", "broke the connection off, perhaps over our certificate"};
    case Reason::kHttpStatus:
      return {"HTTP_STATUS", "answered with an error of its own"};
    case Reason::kMalformedAnswer:
      return {"MALFORMED_ANSWER", "gave an answer that breaks the protocol"};
    case Reason::kWrongSignature:
      return {"WRONG_SIGNATURE", "gave an answer whose signature does not hold"};
    case Reason::kReplayedAnswer:
      return {"REPLAYED_ANSWER", "gave the answer to another request"};
    case Reason::kStaleAnswer:
      return {"STALE_ANSWER", "gave an answer of another time"};
    case Reason::kWrongAuthority:
      return {"WRONG_AUTHORITY", "answered in another's name"};
    case Reason::kWrongSubject:
      return {"WRONG_SUBJECT", "gave an answer about somebody else"};
    case Reason::kWrongPhoto:
      return {"WRONG_PHOTO", "sent a photo that it did not sign"};
    case Reason::kUnusablePhoto:
      return {"UNUSABLE_PHOTO", "sent a photo that nobody can be compared with"};
    case Reason::kUndecided:
      return {"UNDECIDED", "says that it does not know"};
    case Reason::kTooMany:
      break;
  }
  return {"TOO_MANY", "has as many requests of this daemon as are allowed"};
}

}  // namespace

std::string_view name(Reason reason) {
  return words_of(reason).name;
}

http::Problem undetermined(std::string_view service, Reason reason) {
  const Words words = words_of(reason);
  http::Problem problem{http::ProblemCode::kUndetermined,
                        std::string(service) + " " + std::string(words.what) +
                            ". Nothing was decided; ask again later, or take another way."};
  problem.reason = words.name;
  return problem;
}

}  // namespace visage::sidecar::adapter
