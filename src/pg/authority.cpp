#include "pg/authority.h"

#include "pg/attempt.h"
#include "pg/boundary.h"
#include "pg/keys.h"
#include "pg/policy_generation.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

// The newest record of the name holds, whatever it says: an authority may take its word back. One that names
// the authority's photo counts together with that photo only: the one that was compared before, or $4.
Statement find_record = {
    "SELECT r.id, r.accepted AND r.used_at IS NULL AND a.disabled_at IS NULL "
    "AND r.checked_at > pg_catalog.clock_timestamp() - n.valid_for AND n.fields <@ r.fields "
    "AND coalesce(r.photo_hash = $4, true) "
    "AND (NOT n.photo_in_registration OR r.photo_hash IS NOT NULL AND $4 IS NOT NULL) "
    "AND CASE WHEN r.comparison IS NOT NULL "
    "THEN r.photo_accepted AND r.compared_at > pg_catalog.clock_timestamp() - n.valid_for "
    "WHEN r.photo_hash IS NOT NULL THEN $4 IS NOT NULL ELSE NOT n.photo_required END "
    "FROM visage.authority_needed($1, $3) n, visage.authority_record r "
    "JOIN visage.authority a ON a.id = r.authority "
    "WHERE r.institution = $1 AND r.subject_hash = $2 ORDER BY r.checked_at DESC, r.id LIMIT 1",
    4,
    {"integer", "bytea", "text", "bytea"}};

Statement use_record = {
    "UPDATE visage.authority_record SET subject = $2, used_at = pg_catalog.clock_timestamp() "
    "WHERE id = $1 AND used_at IS NULL",
    2,
    {"uuid", "uuid"}};

Statement find_keep_photo = {
    "SELECT n.keep_photo FROM visage.authority_needed($1, $2) n", 2, {"integer", "text"}};

Statement find_photo = {
    "SELECT p.accepted AND a.disabled_at IS NULL FROM visage.authority_record r "
    "JOIN visage.authority a ON a.id = r.authority, visage.authority_photo_accepted(r) p (accepted) "
    "WHERE r.subject = $1 AND p.accepted IS NOT NULL ORDER BY r.checked_at DESC, r.id LIMIT 1",
    1,
    {"uuid"}};

// A statement's only row and column; false where there is no row.
bool ask(Statement& statement, const Datum* arguments) {
  begin_newest();
  bool is_null;
  const bool answer =
      execute(statement, arguments, nullptr, true) == 1 && DatumGetBool(column(0, 1, &is_null));
  SPI_freetuptable(SPI_tuptable);
  end_newest();
  return answer;
}

bytea* keyed_hash_value(keys::HashedKind kind, int32 institution, const struct varlena* value) {
  const AttemptTarget target = attempt_target(
      kind, institution, as_bytes({VARDATA_ANY(value), static_cast<size_t>(VARSIZE_ANY_EXHDR(value))}));
  auto* hash = static_cast<bytea*>(palloc(VARHDRSZ + sizeof target.key));
  SET_VARSIZE(hash, VARHDRSZ + sizeof target.key);
  memcpy(VARDATA(hash), target.key, sizeof target.key);
  return hash;
}

// Of a document that has no digest a hash that no record has.
bytea* photo_hash(int32 institution, const probe::Contents& document) {
  static const uint8_t kNone[sizeof document.image_digest] = {};
  const bool has_digest = memcmp(document.image_digest, kNone, sizeof kNone) != 0;
  auto* digest = static_cast<bytea*>(palloc(VARHDRSZ + sizeof kNone));
  SET_VARSIZE(digest, VARHDRSZ + (has_digest ? sizeof kNone : 0));
  memcpy(VARDATA(digest), document.image_digest, sizeof kNone);
  return has_digest ? keyed_hash_value(keys::HashedKind::kVouched, institution, digest) : digest;
}

}  // namespace

// subject_hash(institution, subject) → keyed hash, as sessions and counters have it
VISAGE_FUNCTION(visage_subject_hash) {
  PG_RETURN_BYTEA_P(
      keyed_hash_value(keys::HashedKind::kSubject, PG_GETARG_INT32(0), PG_GETARG_VARLENA_PP(1)));
}

// vouched_hash(institution, digest) → keyed hash
VISAGE_FUNCTION(visage_vouched_hash) {
  PG_RETURN_BYTEA_P(
      keyed_hash_value(keys::HashedKind::kVouched, PG_GETARG_INT32(0), PG_GETARG_VARLENA_PP(1)));
}

bool check_identity(Flow& flow, const text* subject, const probe::Contents* document,
                    AuthorityRecord& record) {
  record = {};
  if (flow.document_required && document == nullptr) return refuse(flow, Reason::kIdentityUnchecked);
  if (!flow.policy.authority_needed) return true;
  const int32 institution = flow.policy.institution;
  const Datum arguments[] = {
      Int32GetDatum(institution),
      PointerGetDatum(keyed_hash_value(keys::HashedKind::kSubject, institution, subject)),
      PointerGetDatum(flow.scenario),
      document != nullptr ? PointerGetDatum(photo_hash(institution, *document)) : Datum()};
  begin_newest();
  bool is_null;
  if (execute(find_record, arguments, document != nullptr ? nullptr : "   n", true) == 1)
    record = {DatumGetBool(column(0, 2, &is_null)), column_uuid(0, 1)};
  SPI_freetuptable(SPI_tuptable);
  end_newest();
  if (!record.found) return refuse(flow, Reason::kIdentityUnchecked);
  name_in_event(
      flow, psprintf("authority %s", DatumGetCString(DirectFunctionCall1(uuid_out, uuid_datum(record.id)))));
  return true;
}

void require_kept_photo(const Flow& flow) {
  const Datum arguments[] = {Int32GetDatum(flow.policy.institution), PointerGetDatum(flow.scenario)};
  if (ask(find_keep_photo, arguments)) return;
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("policy does not let an authority's photo be kept in scenario \"%s\"",
                         text_to_cstring(flow.scenario)),
                  errhint("visage.authority_rule.keep_photo says whether it may.")));
}

bool check_photo(Flow& flow) {
  if (!flow.has_subject) return true;
  const Datum arguments[] = {uuid_datum(flow.subject)};
  return ask(find_photo, arguments) || refuse(flow, Reason::kIdentityUnchecked);
}

void use_authority_record(const Flow& flow, const AuthorityRecord& record) {
  if (!record.found) return;
  const Datum arguments[] = {uuid_datum(record.id), uuid_datum(flow.subject)};
  // Used meanwhile, or newer than the caller's snapshot.
  if (execute(use_record, arguments, nullptr, false) != 1)
    ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                    errmsg("the identity check was used or made at the same time"),
                    errhint("Call again in a new transaction.")));
}

}  // namespace visage::pg
