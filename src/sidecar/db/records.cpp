#include "sidecar/db/records.h"

namespace visage::sidecar::db {
namespace {

// As many as a person looks at.
#define VISAGE_MOST "100"

constexpr char kSessions[] =
    "SELECT json_build_object('sessions', coalesce(json_agg(row_to_json(r)), '[]')) FROM ("
    "SELECT session, institution, purpose, scenario, opened_channel, channel, state, factors, presented, "
    "opened_at, expires_at, decision, reason, event FROM visage.sessions "
    "WHERE ($1 = '' OR state = $1) AND ($2 = '' OR channel = $2) "
    "ORDER BY opened_at DESC, session LIMIT " VISAGE_MOST ") r";

// Empty arguments are constants to the planner, and fall away.
#define VISAGE_HISTORY(source)                                                                               \
  "SELECT json_build_object('events', coalesce(json_agg(row_to_json(r)), '[]')) FROM ("                      \
  "SELECT event, at, institution, operation, subject, subject_surrogate, channel, scenario, decision, "      \
  "reason, target_fmr, model, policy_version, source, biz_id, transaction_id, session, caller, "             \
  "round(extract(epoch FROM elapsed) * 1000, 2) AS elapsed_ms, settled, object, note FROM " source           \
  " h "                                                                                                      \
  "WHERE $1::text IS NOT NULL AND ($2 = '' OR at >= nullif($2, '')::timestamptz) AND ($3 = '' OR at < "      \
  "nullif($3, '')::timestamptz) "                                                                            \
  "AND ($4 = '' OR operation = nullif($4, '')::visage.operation) AND ($5 = '' OR channel = $5) "             \
  "AND ($6 = '' OR decision = nullif($6, '')::visage.decision) "                                             \
  "AND ($7 = '' OR reason = nullif($7, '')::visage.reason) AND ($8 = '' OR event = nullif($8, '')::bigint) " \
  "AND ($9 = '' OR transaction_id = nullif($9, '')::uuid) AND ($10 = '' OR biz_id = $10) "                   \
  "AND ($11 = '' OR session = nullif($11, '')::uuid) AND ($12 = '' OR event < nullif($12, '')::bigint) "     \
  "ORDER BY event DESC LIMIT " VISAGE_MOST ") r"

constexpr char kHistory[] = VISAGE_HISTORY("visage.history");
constexpr char kHistoryOf[] = VISAGE_HISTORY("visage.history_of($1)");

#define VISAGE_RANGE                                                                    \
  "coalesce(nullif($1, '')::timestamptz, statement_timestamp() - interval '30 days'), " \
  "coalesce(nullif($2, '')::timestamptz, statement_timestamp())"
#define VISAGE_REPORT(name)                                                                      \
  "SELECT json_build_object('rows', coalesce(json_agg(row_to_json(r)), '[]')) FROM visage." name \
  "(" VISAGE_RANGE ") r"

#define VISAGE_TABLE(name, order)                                                                 \
  "'" name "', (SELECT coalesce(json_agg(row_to_json(r)), '[]') FROM (SELECT * FROM visage." name \
  " ORDER BY " order ") r)"
constexpr char kPolicy[] =
    "SELECT json_build_object("
    VISAGE_TABLE("policy_version", "1") ", " VISAGE_TABLE("channel", "1, 2") ", "
    VISAGE_TABLE("channel_floor", "1, 2, 3") ", " VISAGE_TABLE("scenario", "1, 2") ", "
    VISAGE_TABLE("requirement", "1, 2, 3, 4, 5") ", " VISAGE_TABLE("session_policy", "1") ", "
    VISAGE_TABLE("attempt_limit", "1, 2") ", " VISAGE_TABLE("factor_policy", "1") ", "
    VISAGE_TABLE("consent_rule", "1") ", " VISAGE_TABLE("risk_rule", "institution, priority, id") ", "
    VISAGE_TABLE("deny_list", "institution, id") ", " VISAGE_TABLE("retention", "1") ")";

const char* statement(Records records, bool of_subject) {
  switch (records) {
    case Records::kSessions:
      return kSessions;
    case Records::kHistory:
      return of_subject ? kHistoryOf : kHistory;
    case Records::kDaily:
      return VISAGE_REPORT("report_daily");
    case Records::kChannel:
      return VISAGE_REPORT("report_channel");
    case Records::kReason:
      return VISAGE_REPORT("report_reason");
    case Records::kLatency:
      return VISAGE_REPORT("report_latency");
    case Records::kFailures:
      return VISAGE_REPORT("report_subject_failures");
    case Records::kPage:
      return "SELECT json_build_object('html', visage.report_html(" VISAGE_RANGE "))";
    case Records::kPolicy:
      break;
  }
  return kPolicy;
}

}  // namespace

Trouble read(Pool& pool, Records records, const std::vector<std::string>& arguments, std::string& json) {
  std::vector<Parameter> parameters;
  for (const std::string& argument : arguments) parameters.push_back(Parameter::text(argument));
  Result result;
  const bool of_subject = records == Records::kHistory && !arguments.front().empty();
  if (Trouble trouble = pool.run(statement(records, of_subject), parameters, result)) return trouble;
  json.assign(PQgetvalue(result.get(), 0, 0), static_cast<size_t>(PQgetlength(result.get(), 0, 0)));
  return {};
}

}  // namespace visage::sidecar::db
