#include "sidecar/page/verdict.h"

namespace visage::sidecar::page {
namespace {

struct Row {
  std::string_view reason;
  Verdict verdict;
};

// Reasons that leave the session as it was (docs/sessions.md), and those that say nothing about the face.
// LIVENESS, NO_MATCH and all that is not here are one and the same "fail".
constexpr Row kTable[] = {
    {"QUALITY", {"retry", "better-picture"}},
    {"EXPIRED_PROBE", {"retry", "too-slow"}},
    {"WRONG_FACTOR", {"retry", "wrong-factor"}},
    {"LOCKED", {"ended", "locked"}},
    {"CONSENT_MISSING", {"ended", "consent-missing"}},
    {"FACTOR_MISSING", {"ended", "factor-missing"}},
    {"EXPIRED_SESSION", {"ended", "expired"}},
    {"REPLAYED_SESSION", {"ended", "used"}},
    {"SUBJECT_EXISTS", {"ended", "registered"}},
    {"IDENTITY_UNCHECKED", {"ended", "identity-unchecked"}},
};

}  // namespace

Verdict verdict_for_page(const db::Outcome& outcome, std::string_view purpose) {
  const bool telling = purpose != "identify";
  if (outcome.decision == "accept") return {telling ? "pass" : "thanks", ""};
  for (const Row& row : kTable)
    if (row.reason == outcome.reason) return row.verdict;
  return {telling ? "fail" : "thanks", ""};
}

}  // namespace visage::sidecar::page
