// Enrolling, replacing and removing factors.   [6.6e, 8.2.5c]
#include "pg/factor.h"

#include "core/factor/assertion.h"
#include "core/factor/certificate.h"
#include "core/factor/totp.h"
#include "pg/boundary.h"
#include "pg/envelope_io.h"
#include "pg/keys.h"
#include "pg/request.h"
#include "pg/settings.h"
#include "pg/statement.h"
#include "pg/subject.h"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace visage::pg {
namespace {

Statement insert_factor = {
    "INSERT INTO visage.factor (id, subject, kind, sealed, key_version) VALUES ($1, $2, "
    "$3::visage.factor_kind, $4, $5) ON CONFLICT (subject, kind) DO NOTHING",
    5,
    {"uuid", "uuid", "text", "bytea", "bigint"}};
Statement replace_factor = {
    "UPDATE visage.factor SET id = $1, sealed = $4, key_version = $5, created_at = clock_timestamp() "
    "WHERE subject = $2 AND kind = $3::visage.factor_kind",
    5,
    {"uuid", "uuid", "text", "bytea", "bigint"}};
Statement remove_factor = {
    "DELETE FROM visage.factor WHERE subject = $1 AND kind = $2::visage.factor_kind RETURNING id",
    2,
    {"uuid", "text"}};
Statement find_policy = {
    "SELECT p.password_min_length::integer, p.password_cost::integer, p.totp_window::integer, "
    "(extract(epoch FROM p.otp_lifetime) * 1000000)::bigint, p.require_revocation_list "
    "FROM visage.factor_policy p WHERE p.institution IN ($1, 1) ORDER BY p.institution = $1 DESC LIMIT 1",
    1,
    {"integer"}};

factor::Kind kind_argument(FunctionCallInfo fcinfo, int index) {
  require_argument(fcinfo, index, "kind");
  const char* const label = DatumGetCString(DirectFunctionCall1(enum_out, PG_GETARG_DATUM(index)));
  factor::Kind kind;
  if (!factor::find_kind(label, kind) || !factor::is_stored(kind))
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("a factor of kind \"%s\" is not enrolled", label),
                    errhint("One-time codes need a row in visage.otp_service, a face its registration.")));
  return kind;
}

// Errors about a secret say what is wrong with it and never what it is.
void check_password_length(std::string_view password, const FactorPolicy& policy) {
  constexpr size_t kMaxPassword = 1024;
  const int characters = pg_mbstrlen_with_len(password.data(), static_cast<int>(password.size()));
  if (characters < policy.password_min_length || password.size() > kMaxPassword)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("a password has at least %d characters and at most %zu bytes",
                           policy.password_min_length, kMaxPassword)));
}

Status prepare(const keys::Owner& owner, Bytes wrapped_key, const Uuid& factor, std::string_view password,
               char* out) {
  Secret<keys::SubjectKey> key;
  VISAGE_TRY(keys::unwrap_subject_key(engine(), key_ring(), owner, wrapped_key, key.value));
  VISAGE_TRY(factor::prepare_password(engine(), key.value, factor, password, out));
  out[factor::kPreparedPasswordSize] = '\0';
  return {};
}

// The bytes to be sealed.
size_t make_contents(const factor::Place& place, const SubjectRecord& subject, std::string_view secret,
                     const FactorPolicy& policy, MutableBytes out) {
  size_t size = 0;
  switch (place.kind) {
    case factor::Kind::kPassword: {
      check_password_length(secret, policy);
      char prepared[factor::kPreparedPasswordSize + 1];
      raise_unless_ok(guarded([&] {
                        return prepare(subject.owner, subject.wrapped_key, place.factor, secret, prepared);
                      }),
                      "cannot enrol the password");
      const char* const hash = bcrypt(prepared, bcrypt_salt(policy.password_cost));
      wipe(prepared, sizeof prepared);
      size = strlen(hash);
      Assert(size <= out.size());
      memcpy(out.data(), hash, size);
      return size;
    }
    case factor::Kind::kTotp: {
      const Status status = guarded([&]() -> Status {
        Secret<factor::Totp> totp;
        VISAGE_TRY(factor::parse_totp(secret, totp.value));
        return factor::encode_totp(totp.value, out, size);
      });
      raise_unless_ok(status, "cannot enrol the secret");
      return size;
    }
    default:
      raise_unless_ok(guarded([&] { return factor::certificate_fingerprint(secret, out.data()); }),
                      "cannot enrol the certificate");
      return factor::kFingerprintSize;
  }
}

// Seals the secret under a factor id of its own and stores it with the statement.
bool store_factor(Flow& flow, const SubjectRecord& subject, factor::Kind kind, std::string_view secret,
                  Statement& statement) {
  factor::Place place = {kind, subject.owner, {}};
  raise_unless_ok(guarded([&] { return engine().random_uuid(place.factor); }), "cannot make an identifier");
  uint8_t contents[factor::kMaxContents];
  const size_t size =
      make_contents(place, subject, secret, load_factor_policy(flow.policy.institution), contents);
  const crypto::Suite suite = settings::suite();
  struct varlena* sealed = new_envelope(factor::sealed_size(suite, size));
  uint32_t key_version = 0;
  const Status status = guarded([&]() -> Status {
    Secret<keys::SubjectKey> key;
    VISAGE_TRY(keys::unwrap_subject_key(engine(), key_ring(), subject.owner, subject.wrapped_key, key.value));
    return factor::seal(engine(), key_ring(), suite, key.value, place, {contents, size},
                        envelope_span(sealed), key_version);
  });
  wipe(contents, sizeof contents);
  raise_unless_ok(status, "cannot seal the factor");
  const Datum arguments[] = {uuid_datum(place.factor), uuid_datum(subject.owner.subject),
                             CStringGetTextDatum(factor::label(kind)), PointerGetDatum(sealed),
                             Int64GetDatum(key_version)};
  if (execute(statement, arguments, nullptr, false) != 1) return false;
  flow.reference = place.factor;
  flow.has_reference = true;
  return true;
}

// What the three have in common: `change` does the work for a subject that is there.
template <typename Change>
Datum change_factor(FunctionCallInfo fcinfo, audit::Operation operation, FlowArguments arguments,
                    Change change) {
  text* subject = subject_argument(fcinfo, 0);
  const factor::Kind kind = kind_argument(fcinfo, 1);
  Flow flow;
  begin_flow(flow, operation, fcinfo, arguments);
  // A secret is no part of what the ledger keeps, not even hashed; so a call with one is never a repetition.
  if (operation == audit::Operation::kRemoveFactor &&
      repeats(flow, {.subject = subject, .kind = factor::label(kind)}))
    return finish_flow(flow, fcinfo);
  flow.slot->record.object.set(factor::label(kind));
  flow.slot->record.mark(audit::Field::kObject);
  SubjectRecord record;
  load_subject(flow, subject, true, record);
  if (!enter_session(flow, subject)) return finish_flow(flow, fcinfo);
  if (!record.found)
    refuse(flow, Reason::kUnknownSubject);
  else if (check_risk(flow))
    change(flow, record, kind);
  return finish_flow(flow, fcinfo);
}

std::string_view secret_argument(FunctionCallInfo fcinfo) {
  require_argument(fcinfo, 2, "secret");
  const text* secret = PG_GETARG_TEXT_PP(2);
  return {VARDATA_ANY(secret), VARSIZE_ANY_EXHDR(secret)};
}

}  // namespace

FactorPolicy load_factor_policy(int32 institution) {
  const Datum arguments[] = {Int32GetDatum(institution)};
  if (execute(find_policy, arguments, nullptr, true) != 1)
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("visage.factor_policy has no row of institution 1"), errhint("Put the row back.")));
  bool is_null;
  FactorPolicy policy;
  policy.password_min_length = DatumGetInt32(column(0, 1, &is_null));
  policy.password_cost = DatumGetInt32(column(0, 2, &is_null));
  policy.totp_window = DatumGetInt32(column(0, 3, &is_null));
  policy.otp_lifetime = DatumGetInt64(column(0, 4, &is_null));
  policy.require_revocation_list = DatumGetBool(column(0, 5, &is_null));
  SPI_freetuptable(SPI_tuptable);
  return policy;
}

// enrol_factor(subject, kind, secret, channel, scenario, context) → outcome
VISAGE_FUNCTION(visage_enrol_factor) {
  const std::string_view secret = secret_argument(fcinfo);
  return change_factor(fcinfo, audit::Operation::kEnrolFactor, {3, 4, 5},
                       [&](Flow& flow, const SubjectRecord& subject, factor::Kind kind) {
                         if (store_factor(flow, subject, kind, secret, insert_factor))
                           accept(flow);
                         else
                           refuse(flow, Reason::kFactorExists);
                       });
}

// replace_factor(subject, kind, secret, channel, scenario, context) → outcome
VISAGE_FUNCTION(visage_replace_factor) {
  const std::string_view secret = secret_argument(fcinfo);
  return change_factor(fcinfo, audit::Operation::kReplaceFactor, {3, 4, 5},
                       [&](Flow& flow, const SubjectRecord& subject, factor::Kind kind) {
                         if (store_factor(flow, subject, kind, secret, replace_factor))
                           accept(flow);
                         else
                           refuse(flow, Reason::kUnknownFactor);
                       });
}

// remove_factor(subject, kind, channel, scenario, context) → outcome
VISAGE_FUNCTION(visage_remove_factor) {
  return change_factor(fcinfo, audit::Operation::kRemoveFactor, {2, 3, 4},
                       [&](Flow& flow, const SubjectRecord& subject, factor::Kind kind) {
                         const Datum arguments[] = {uuid_datum(subject.owner.subject),
                                                    CStringGetTextDatum(factor::label(kind))};
                         if (execute(remove_factor, arguments, nullptr, false) == 1) {
                           flow.reference = column_uuid(0, 1);
                           flow.has_reference = true;
                           accept(flow);
                         } else {
                           refuse(flow, Reason::kUnknownFactor);
                         }
                       });
}

namespace {

Datum check_pem(FunctionCallInfo fcinfo, Status (*check)(std::string_view), const char* what) {
  const text* pem = PG_GETARG_TEXT_PP(0);
  const std::string_view view = {VARDATA_ANY(pem), VARSIZE_ANY_EXHDR(pem)};
  raise_unless_ok(guarded([&] { return check(view); }), what);
  PG_RETURN_BOOL(true);
}

}  // namespace

VISAGE_FUNCTION(visage_check_public_key) {
  return check_pem(fcinfo, statement::check_public_key, "public_key");
}
VISAGE_FUNCTION(visage_check_trust_anchor) {
  return check_pem(fcinfo, factor::check_trust_anchor, "certificate");
}
VISAGE_FUNCTION(visage_check_revocation_list) {
  return check_pem(fcinfo, factor::check_revocation_list, "list");
}

}  // namespace visage::pg
