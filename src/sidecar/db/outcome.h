// visage.outcome, as the database returns it.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sidecar/db/error.h"

namespace visage::sidecar::db {

struct Outcome {
  std::string transaction_id;
  std::string decision;  // accept, reject, refuse
  std::string reason;    // OK, NO_MATCH, LOCKED …
  std::optional<std::string> channel;
  std::optional<double> target_fmr;
  std::optional<std::string> model;
  std::optional<int32_t> policy_version;
  std::optional<double> retry_after_s;
  std::optional<int64_t> event;
  std::optional<std::string> reference;
  // Of an identification alone.
  std::optional<double> fpir;
  std::vector<std::string> candidates;  // subjects, the most alike first
};

// The columns to select from a flow function, in the order that read_outcome() expects.
inline constexpr const char* kOutcomeColumns =
    "transaction_id, decision, reason, channel, target_fmr, model, policy_version, "
    "extract(epoch FROM retry_after)::float8, event, reference";

// Those of visage.identify(), for read_identification(): a row a candidate, or one without a subject.
inline constexpr const char* kIdentificationColumns =
    "transaction_id, decision, reason, NULL::text, NULL::float8, model, policy_version, "
    "extract(epoch FROM retry_after)::float8, event, NULL::uuid, fpir, subject, rank";

// kUnexpected unless there is exactly one row of that shape with a transaction id, a decision and a reason.
Trouble read_outcome(const PGresult* result, Outcome& out);
// The same of one row or more, in the order of their ranks.
Trouble read_identification(const PGresult* result, Outcome& out);

}  // namespace visage::sidecar::db
