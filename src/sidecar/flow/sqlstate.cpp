#include "sidecar/flow/sqlstate.h"

namespace visage::sidecar {
namespace {

using http::ProblemCode;

constexpr const char* kAsk = "Tell the operator; the log of visaged names the cause.";
constexpr const char* kLater = "Try again after Retry-After.";
constexpr const char* kUnknownEffect =
    "Whether the call took effect is unknown: look the biz_id up in visage.history before trying again.";

struct Row {
  std::string_view prefix;  // of the SQLSTATE; the first that fits counts
  ProblemCode code;
  unsigned retry_after;
  const char* detail;  // null: the server's own message
};

constexpr Row kTable[] = {
    {"V0001", ProblemCode::kDatabaseUnavailable, 2, kLater},
    {"V0002", ProblemCode::kDatabaseUnavailable, 2, kUnknownEffect},
    {"V0003", ProblemCode::kDatabaseTimeout, 2, kUnknownEffect},
    {"V0004", ProblemCode::kBusy, 1, kLater},
    {"V0005", ProblemCode::kInternal, 0, kAsk},
    {"VG001", ProblemCode::kDatabaseMisconfigured, 0, kAsk},      // a stored value does not open
    {"VG002", ProblemCode::kNotReady, 0, kAsk},                   // a key version is not loaded
    {"VG003", ProblemCode::kNotReady, 0, kAsk},                   // no preload, no provider
    {"VG004", ProblemCode::kDatabaseUnavailable, 2, kLater},      // no audit writer: nothing was decided
    {"VG005", ProblemCode::kDatabaseUnavailable, 2, kLater},      // not recorded, so there is no verdict
    {"VG006", ProblemCode::kDatabaseTimeout, 2, kUnknownEffect},  // not durable in time
    {"VG007", ProblemCode::kInvalidValue, 0, nullptr},            // the biz_id names another call
    {"VG008", ProblemCode::kNotFound, 0, nullptr},                // no such session
    {"08", ProblemCode::kDatabaseUnavailable, 2, kUnknownEffect},
    {"22", ProblemCode::kInvalidValue, 0, nullptr},
    {"25006", ProblemCode::kDatabaseReadOnly, 5, kLater},
    {"28", ProblemCode::kDatabaseMisconfigured, 0, kAsk},
    {"3D", ProblemCode::kDatabaseMisconfigured, 0, kAsk},
    {"3F", ProblemCode::kNotReady, 0, "The database lacks the extension. Tell the operator."},
    {"40", ProblemCode::kBusy, 1, kLater},  // serialization failure, deadlock: nothing was done
    {"42501", ProblemCode::kDatabaseMisconfigured, 0,
     "The database role of visaged lacks a right. Tell the operator."},
    {"42704", ProblemCode::kInvalidValue, 0, nullptr},  // undefined object: channel or scenario
    {"42883", ProblemCode::kNotReady, 0,
     "The database lacks this version of the extension. Tell the operator."},
    {"42", ProblemCode::kDatabaseMisconfigured, 0, kAsk},
    {"53", ProblemCode::kDatabaseUnavailable, 2, kLater},  // connections, memory or disk are out
    {"55P03", ProblemCode::kBusy, 1, kLater},              // lock not available
    {"55", ProblemCode::kDatabaseMisconfigured, 0, kAsk},
    {"57014", ProblemCode::kDatabaseTimeout, 2, kUnknownEffect},
    {"57P03", ProblemCode::kDatabaseUnavailable, 2, kLater},  // starting up or shutting down
    {"57", ProblemCode::kDatabaseUnavailable, 2, kUnknownEffect},
    {"58", ProblemCode::kDatabaseUnavailable, 2, kLater},
    {"F0", ProblemCode::kDatabaseMisconfigured, 0, kAsk},
};

}  // namespace

http::Problem database_problem(const db::Error& error) {
  for (const Row& row : kTable)
    if (error.sqlstate.starts_with(row.prefix))
      return {row.code, row.detail != nullptr ? row.detail : "The database says: " + error.message + ".",
              row.retry_after};
  return {ProblemCode::kInternal, kAsk};
}

}  // namespace visage::sidecar
