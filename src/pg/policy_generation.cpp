#include "pg/policy_generation.h"

#include "pg/boundary.h"

extern "C" {
#include "commands/trigger.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace visage::pg {
namespace {

// Each has the trigger forget_policy, by visage.watch_policy() or in sql/install/56_policy_change.sql.
const char* const kTables[] = {"institution",       "institution_role",   "policy_version",  "channel",
                               "channel_floor",     "scenario",           "calibration",     "capture_source",
                               "attempt_limit",     "audit_policy",       "notice",          "consent_rule",
                               "entitlement",       "risk_rule",          "deny_list",       "session_policy",
                               "requirement",       "factor_policy",      "otp_service",     "trust_anchor",
                               "revocation_list",   "duplicate_policy",   "identify_policy", "gallery_policy",
                               "adaptation_policy", "reference_lifetime", "gallery"};

uint64 generation = 1;
Oid watched[lengthof(kTables)];
bool watching = false;

void at_table_change(Datum, Oid relation) {
  bool concerns = !OidIsValid(relation) || !watching;
  for (const Oid table : watched) concerns = concerns || table == relation;
  if (!concerns) return;
  ++generation;
  watching = false;  // the extension may have been made anew
}

void at_role_change(Datum, int, uint32) {
  ++generation;
}

}  // namespace

uint64 policy_generation() {
  static bool registered = false;
  if (!registered) {
    CacheRegisterRelcacheCallback(at_table_change, 0);
    CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, at_role_change, 0);
    CacheRegisterSyscacheCallback(AUTHOID, at_role_change, 0);
    registered = true;
  }
  // A transaction that takes no new lock would not hear of a change.
  AcceptInvalidationMessages();
  if (!watching) {
    watching = true;
    const Oid schema = get_namespace_oid("visage", false);
    for (size_t i = 0; i < lengthof(kTables); ++i) watched[i] = get_relname_relid(kTables[i], schema);
  }
  return generation;
}

void begin_newest() {
  PushActiveSnapshot(GetLatestSnapshot());
}
void end_newest() {
  PopActiveSnapshot();
}

// Trigger after every change of a policy table.
VISAGE_FUNCTION(visage_forget_policy) {
  if (!CALLED_AS_TRIGGER(fcinfo)) elog(ERROR, "visage.forget_policy() is a trigger");
  const auto* data = reinterpret_cast<const TriggerData*>(fcinfo->context);
  CacheInvalidateRelcache(data->tg_relation);
  return PointerGetDatum(nullptr);
}

}  // namespace visage::pg
