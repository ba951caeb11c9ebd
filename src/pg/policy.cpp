#include "pg/policy.h"

#include "pg/boundary.h"
#include "pg/policy_generation.h"
#include "pg/settings.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

// As visage.acts_for(). $1 institution's name, $2 the calling role. Before the update of the extension the
// table has no column "enabled".
#define VISAGE_ACTING                                                                                  \
  "FROM visage.institution i WHERE i.name = $1 AND (EXISTS (SELECT 1 FROM visage.institution_role r "  \
  "WHERE r.institution = i.id AND pg_catalog.pg_has_role($2::pg_catalog.oid, r.role::pg_catalog.oid, " \
  "'USAGE') "                                                                                          \
  "AND pg_catalog.to_jsonb(r) ->> 'enabled' IS DISTINCT FROM 'false') "                                \
  "OR (SELECT u.rolsuper FROM pg_catalog.pg_roles u WHERE u.oid = $2::pg_catalog.oid))"

Statement find_institution = {"SELECT i.id " VISAGE_ACTING, 2, {"text", "oid"}};

Statement find_policy = {
    "SELECT i.id, coalesce(v.version, 1), c.target_fmr, c.liveness_floor, "
    "ARRAY(SELECT m.id FROM visage.channel_floor f JOIN visage.measure m ON m.name = f.measure "
    "      WHERE f.institution = i.id AND f.channel = $3 AND f.minimum IS NOT NULL ORDER BY m.id), "
    "ARRAY(SELECT f.minimum FROM visage.channel_floor f JOIN visage.measure m ON m.name = f.measure "
    "      WHERE f.institution = i.id AND f.channel = $3 AND f.minimum IS NOT NULL ORDER BY m.id), "
    "EXISTS (SELECT 1 FROM visage.scenario s WHERE s.institution = i.id AND s.name = $4 AND s.enabled), "
    "EXISTS (SELECT 1 FROM visage.audit_policy a WHERE a.institution = i.id AND a.keep_details IS NOT NULL), "
    "c.session_required, (SELECT s.factors FROM visage.scenario s WHERE s.institution = i.id AND s.name = "
    "$4), (SELECT s.identity_check = 'authority' FROM visage.scenario s WHERE s.institution = i.id AND "
    "s.name = $4), "
    "EXISTS (SELECT 1 FROM visage.audit_policy a WHERE a.institution = i.id AND a.capture_values) "
    "FROM (SELECT i.id " VISAGE_ACTING
    ") i LEFT JOIN visage.policy_version v ON v.institution = i.id "
    "LEFT JOIN visage.channel c ON c.institution = i.id AND c.name = $3 AND c.enabled",
    4,
    {"text", "oid", "text", "text"}};

Statement find_calibration = {
    "SELECT c.threshold FROM visage.calibration c "
    "WHERE c.model = $2 AND c.scheme = $3 AND c.fmr <= $4 AND (c.institution = $1 OR c.institution IS NULL) "
    "AND c.enabled ORDER BY c.institution NULLS LAST, c.fmr DESC, c.measured_at DESC LIMIT 1",
    4,
    {"integer", "text", "text", "double precision"}};

[[noreturn]] void no_institution() {
  ereport(ERROR,
          (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
           errmsg("role \"%s\" does not act for institution \"%s\"",
                  GetUserNameFromId(GetOuterUserId(), false), settings::institution),
           errhint("Set visage.institution to one that the role was granted; an administrator grants with "
                   "visage.grant_institution().")));
  pg_unreachable();
}

// The role that calls, not the owner that a SECURITY DEFINER function runs as.
Datum calling_role() {
  return ObjectIdGetDatum(GetOuterUserId());
}

// All names fit: the institution's is a PostgreSQL name, and flows check the others.
constexpr size_t kNameSize = 256;

struct PolicyKey {
  Oid role;
  char institution[kNameSize];
  char channel[kNameSize];
  char scenario[kNameSize];
};
Kept<PolicyKey, Policy, 16> policies;

struct ActingKey {
  Oid role;
  char institution[kNameSize];
};
Kept<ActingKey, int32, 16> acting;

struct ThresholdKey {
  double target_fmr;
  int32 institution;
  char model[probe::kMaxModelLength + 1];
  char scheme[20];
};
struct Threshold {
  bool supported;
  double value;
};
Kept<ThresholdKey, Threshold, 32> thresholds;

void copy_name(char (&out)[kNameSize], const text* name) {
  memcpy(out, VARDATA_ANY(name), Min(VARSIZE_ANY_EXHDR(name), kNameSize - 1));
}

void read_policy(const text* channel, const text* scenario, Policy& out);
Threshold read_threshold(const ThresholdKey& key);

}  // namespace

VISAGE_FUNCTION(visage_calling_role) {
  return calling_role();
}

int32 acting_institution() {
  ActingKey key;
  memset(static_cast<void*>(&key), 0, sizeof key);
  key.role = GetOuterUserId();
  strlcpy(key.institution, settings::institution, sizeof key.institution);
  const uint64 generation = policy_generation();
  const int32* found = acting.find(key, generation);
  if (found != nullptr) return *found;
  begin_newest();
  const Datum arguments[] = {CStringGetTextDatum(settings::institution), calling_role()};
  if (execute(find_institution, arguments, nullptr, true) != 1) no_institution();
  bool is_null;
  const int32 institution = DatumGetInt32(column(0, 1, &is_null));
  SPI_freetuptable(SPI_tuptable);
  end_newest();
  acting.keep(key, institution, generation);
  return institution;
}

void load_policy(const text* channel, const text* scenario, Policy& out) {
  PolicyKey key;
  memset(static_cast<void*>(&key), 0, sizeof key);
  key.role = GetOuterUserId();
  strlcpy(key.institution, settings::institution, sizeof key.institution);
  copy_name(key.channel, channel);
  copy_name(key.scenario, scenario);
  const uint64 generation = policy_generation();
  const Policy* found = policies.find(key, generation);
  if (found == nullptr) {
    begin_newest();
    read_policy(channel, scenario, out);
    end_newest();
    policies.keep(key, out, generation);
  } else {
    out = *found;
  }
}

bool find_threshold(int32 institution, const char* model, const char* scheme, double target_fmr,
                    double& threshold) {
  ThresholdKey key;
  memset(static_cast<void*>(&key), 0, sizeof key);
  key.target_fmr = target_fmr;
  key.institution = institution;
  strlcpy(key.model, model, sizeof key.model);
  strlcpy(key.scheme, scheme, sizeof key.scheme);
  const uint64 generation = policy_generation();
  const Threshold* found = thresholds.find(key, generation);
  if (found == nullptr) {
    begin_newest();
    thresholds.keep(key, read_threshold(key), generation);
    end_newest();
    found = thresholds.find(key, generation);
  }
  threshold = found->value;
  return found->supported;
}

namespace {

void read_policy(const text* channel, const text* scenario, Policy& out) {
  const Datum arguments[] = {CStringGetTextDatum(settings::institution), calling_role(),
                             PointerGetDatum(channel), PointerGetDatum(scenario)};
  if (execute(find_policy, arguments, nullptr, true) != 1) no_institution();
  bool is_null;
  out.institution = DatumGetInt32(column(0, 1, &is_null));
  out.version = DatumGetInt32(column(0, 2, &is_null));
  out.target_fmr = DatumGetFloat8(column(0, 3, &is_null));
  if (is_null)
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                    errmsg("channel \"%s\" does not exist or is disabled", text_to_cstring(channel)),
                    errhint("SELECT name FROM visage.channel lists channels.")));
  if (!DatumGetBool(column(0, 7, &is_null)))
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                    errmsg("scenario \"%s\" does not exist or is disabled", text_to_cstring(scenario)),
                    errhint("SELECT name FROM visage.scenario lists scenarios.")));
  out.keep_details = DatumGetBool(column(0, 8, &is_null));
  out.session_required = DatumGetBool(column(0, 9, &is_null));
  out.factors = static_cast<uint8>(DatumGetInt16(column(0, 10, &is_null)));
  out.authority_needed = DatumGetBool(column(0, 11, &is_null));
  out.capture_values = DatumGetBool(column(0, 12, &is_null));
  const Datum liveness_floor = column(0, 4, &is_null);
  out.has_liveness_floor = !is_null;
  out.liveness_floor = is_null ? 0 : DatumGetFloat4(liveness_floor);

  ArrayType* measures = DatumGetArrayTypeP(column(0, 5, &is_null));
  ArrayType* minima = DatumGetArrayTypeP(column(0, 6, &is_null));
  out.floor_count = ArrayGetNItems(ARR_NDIM(measures), ARR_DIMS(measures));
  if (static_cast<size_t>(out.floor_count) > probe::kMaxFloors)
    ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
                    errmsg("channel \"%s\" has more than %zu quality floors", text_to_cstring(channel),
                           probe::kMaxFloors)));
  for (int i = 0; i < out.floor_count; ++i)
    out.floors[i] = {static_cast<probe::Measure>(reinterpret_cast<const int16*>(ARR_DATA_PTR(measures))[i]),
                     reinterpret_cast<const float*>(ARR_DATA_PTR(minima))[i]};
  SPI_freetuptable(SPI_tuptable);
  load_attempt_limits(out.institution, out.has_liveness_floor, out.attempt_limits);
  load_consent_rule(out.institution, channel, scenario, out.consent);
  load_duplicate_rule(out.institution, scenario, out.duplicates);
  load_identify_rule(out.institution, scenario, out.identification);
  load_reference_rule(out.institution, channel, out.references);
}

Threshold read_threshold(const ThresholdKey& key) {
  const Datum arguments[] = {Int32GetDatum(key.institution), CStringGetTextDatum(key.model),
                             CStringGetTextDatum(key.scheme), Float8GetDatum(key.target_fmr)};
  if (execute(find_calibration, arguments, nullptr, true) != 1) return {false, 0};
  bool is_null;
  const Threshold threshold = {true, DatumGetFloat8(column(0, 1, &is_null))};
  SPI_freetuptable(SPI_tuptable);
  return threshold;
}

}  // namespace

namespace {

std::span<const probe::QualityFloor> floors_of(const Policy& policy) {
  return {policy.floors, static_cast<size_t>(policy.floor_count)};
}

}  // namespace

bool liveness_reached(const Policy& policy, const probe::Contents& contents) {
  return !policy.has_liveness_floor || probe::floor_reached(policy.liveness_floor, contents);
}

bool quality_reached(const Policy& policy, const probe::Contents& contents) {
  return probe::floors_reached(floors_of(policy), contents);
}

void record_capture(const Policy& policy, const probe::Contents& contents, audit::EventRecord& out) {
  probe::CaptureRecord record;
  probe::record_capture(contents, policy.has_liveness_floor ? &policy.liveness_floor : nullptr,
                        floors_of(policy), policy.capture_values, record);
  static_assert(sizeof out.capture.bytes >= probe::kMaxCaptureRecord);
  size_t size = 0;
  raise_unless_ok(
      probe::encode_capture(record, {reinterpret_cast<uint8_t*>(out.capture.bytes), sizeof out.capture.bytes},
                            size),
      "cannot record the capture");
  out.capture.size = static_cast<uint16_t>(size);
  out.mark(audit::Field::kCapture);
}

}  // namespace visage::pg
