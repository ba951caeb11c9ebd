// What the console reads: sessions, history, reports, policy. Asked on connections of their own, of a role
// that may read them (visage_auditor); the flows' role may not. The database shows what that role acts for.
#pragma once

#include <string>
#include <vector>

#include "sidecar/db/pool.h"

namespace visage::sidecar::db {

enum class Records {
  kSessions,  // state (empty: any), channel (empty: any)
  kHistory,   // subject (empty: any; else a name or surrogate), since, until, operation, channel, decision,
              // reason, event, transaction, biz_id, session, before (an event): empty ones do not count
  kDaily,     // since, until (empty: the last 30 days), as the reports after it
  kChannel,
  kReason,
  kLatency,
  kFailures,
  kPage,  // {"html": …}
  kPolicy,
};

// `json` is one object. The database's own words when an argument is none of its type.
Trouble read(Pool& pool, Records records, const std::vector<std::string>& arguments, std::string& json);

}  // namespace visage::sidecar::db
