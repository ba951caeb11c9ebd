// What makes evidence of a factor right, one function a kind.
#include <openssl/crypto.h>

#include "core/factor/assertion.h"
#include "core/factor/certificate.h"
#include "core/factor/totp.h"
#include "pg/boundary.h"
#include "pg/clock.h"
#include "pg/factor.h"
#include "pg/keys.h"
#include "pg/settings.h"
#include "pg/shared.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

Statement find_service = {
    "SELECT s.public_key FROM visage.otp_service s WHERE s.institution = $1 AND s.name = $2 AND s.enabled",
    2,
    {"integer", "text"}};
Statement find_anchors = {
    "SELECT coalesce((SELECT string_agg(a.certificate, E'\\n') FROM visage.trust_anchor a "
    "WHERE a.institution = $1 AND a.enabled), ''), "
    "coalesce((SELECT string_agg(r.list, E'\\n') FROM visage.revocation_list r WHERE r.institution = $1), "
    "'')",
    1,
    {"integer"}};

// Opens the factor of the row under its subject's key and hands both to `use`.
template <typename Use>
Status with_factor(const FactorRow& row, Use use) {
  Secret<keys::SubjectKey> key;
  Secret<KeyBytes<factor::kMaxContents>> contents;
  size_t size = 0;
  VISAGE_TRY(keys::unwrap_subject_key(engine(), key_ring(), row.place.owner, row.wrapped_key, key.value));
  VISAGE_TRY(
      factor::open(engine(), key_ring(), key.value, row.place, row.sealed, contents.value.span(), size));
  return use(key.value, Bytes(contents.value.bytes, size));
}

void note(Evidence& evidence, const char* why) {
  strlcpy(evidence.why, why, sizeof evidence.why);
}

bool same(const uint8_t* left, const uint8_t* right, size_t size) {
  return CRYPTO_memcmp(left, right, size) == 0;
}

// Uses a code's step up, whatever becomes of the transaction. It could have been used since the first moment
// at which it was taken.
ProbeUse use_step(Evidence& evidence, const factor::Totp& totp, uint64 step) {
  uint8_t value[sizeof(Uuid) + sizeof step];
  memcpy(value, evidence.row.place.factor.bytes, sizeof(Uuid));
  memcpy(value + sizeof(Uuid), &step, sizeof step);
  const AttemptTarget used = attempt_target(keys::HashedKind::kUsedCode, evidence.session.institution, value);
  Uuid key;
  memcpy(key.bytes, used.key, sizeof key.bytes);
  const int64 period = totp.period * USECS_PER_SEC;
  const auto at = static_cast<int64>(step);
  const ProbeUse use = use_probe(key, (at - evidence.policy.totp_window) * period,
                                 (at + 1 + evidence.policy.totp_window) * period, unix_now());
  if (use == ProbeUse::kFirst) {
    audit::EventRecord& record = evidence.flow.slot->record;
    record.probe = key;
    record.mark(audit::Field::kProbe);
  }
  return use;
}

}  // namespace

Shown check_password(Evidence& evidence) {
  char prepared[factor::kPreparedPasswordSize + 1] = {};
  char setting[factor::kMaxContents + 1] = {};
  const Status status = guarded([&] {
    return with_factor(evidence.row, [&](const keys::SubjectKey& key, Bytes contents) {
      memcpy(setting, contents.data(), contents.size());
      return factor::prepare_password(engine(), key, evidence.row.place.factor, evidence.text, prepared);
    });
  });
  raise_unless_ok(status, "cannot check the password");
  const char* const hash = bcrypt(prepared, setting);
  const size_t size = strlen(hash);
  const bool right =
      size == strlen(setting) &&
      same(reinterpret_cast<const uint8_t*>(hash), reinterpret_cast<const uint8_t*>(setting), size) &&
      evidence.enrolled;
  wipe(prepared, sizeof prepared);
  wipe(setting, sizeof setting);
  return right ? Shown::kRight : Shown::kWrong;
}

Shown check_totp_code(Evidence& evidence) {
  bool matches = false;
  uint64_t step = 0;
  uint16_t period = 0;
  const int64 now = unix_now() / USECS_PER_SEC;
  const Status status = guarded([&]() -> Status {
    Secret<factor::Totp> totp;
    return with_factor(evidence.row, [&](const keys::SubjectKey&, Bytes contents) -> Status {
      VISAGE_TRY(factor::decode_totp(contents, totp.value));
      period = totp.value.period;
      return factor::check_totp(totp.value, evidence.text, now, evidence.policy.totp_window, matches, step);
    });
  });
  raise_unless_ok(status, "cannot check the code");
  if (!matches || !evidence.enrolled) return Shown::kWrong;
  factor::Totp shape = {};
  shape.period = period;
  switch (use_step(evidence, shape, step)) {
    case ProbeUse::kFirst:
      return Shown::kRight;
    case ProbeUse::kReplayed:
      return Shown::kUsedBefore;
    case ProbeUse::kBeforeMemory:
      break;
  }
  note(evidence, "the code is of a time before uses are remembered");
  return Shown::kWrong;
}

Shown check_otp_assertion(Evidence& evidence) {
  factor::Assertion assertion;
  Status status = guarded([&] { return factor::parse_assertion(evidence.text, assertion); });
  if (!status.ok()) {
    note(evidence, status.message);
    return Shown::kWrong;
  }
  const int32 institution = evidence.session.institution;
  const Datum arguments[] = {Int32GetDatum(institution),
                             PointerGetDatum(cstring_to_text_with_len(
                                 assertion.service.data(), static_cast<int>(assertion.service.size())))};
  if (execute(find_service, arguments, nullptr, true) != 1) {
    note(evidence, "the service is unknown or disabled");
    return Shown::kWrong;
  }
  const Bytes key = column_bytes(0, 1);
  status = guarded([&] {
    return factor::verify_assertion(assertion, {reinterpret_cast<const char*>(key.data()), key.size()});
  });
  if (status.code == Code::kAuthenticationFailed) {
    note(evidence, status.message);
    return Shown::kWrong;
  }
  raise_unless_ok(status, "cannot check the assertion");
  const AttemptTarget subject =
      attempt_target(keys::HashedKind::kSubject, institution, as_bytes(assertion.subject));
  const int64 now = unix_now() / USECS_PER_SEC;
  const char* wrong = nullptr;
  if (!same(assertion.nonce, evidence.session.nonce, sizeof assertion.nonce))
    wrong = "the assertion is for another session";
  else if (!evidence.session.has_subject_hash ||
           !same(subject.key, evidence.session.subject.key, sizeof subject.key))
    wrong = "the assertion is about another subject";
  else if (assertion.issued_at > now + settings::clock_skew)
    wrong = "the assertion is dated ahead";
  else if (now >= assertion.expires_at ||
           now >= assertion.issued_at + evidence.policy.otp_lifetime / USECS_PER_SEC)
    wrong = "the assertion has expired";
  if (wrong == nullptr) return Shown::kRight;
  note(evidence, wrong);
  return Shown::kWrong;
}

Shown check_certificate(Evidence& evidence) {
  const Datum arguments[] = {Int32GetDatum(evidence.session.institution)};
  execute(find_anchors, arguments, nullptr, true);
  const auto view = [](Bytes bytes) {
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  const factor::TrustAnchors anchors = {view(column_bytes(0, 1)), view(column_bytes(0, 2)),
                                        evidence.policy.require_revocation_list};
  char message[factor::kCertificateMessageSize];
  factor::certificate_message(evidence.session.id, evidence.session.nonce, message);
  uint8_t fingerprint[factor::kFingerprintSize];
  Status status = guarded([&] {
    return factor::verify_certificate(evidence.text, as_bytes({message, sizeof message}), anchors,
                                      unix_now() / USECS_PER_SEC, fingerprint);
  });
  if (status.code == Code::kAuthenticationFailed || status.code == Code::kMalformed) {
    note(evidence, status.message);
    return Shown::kWrong;
  }
  raise_unless_ok(status, "cannot check the certificate");
  bool own = false;
  status = guarded([&] {
    return with_factor(evidence.row, [&](const keys::SubjectKey&, Bytes contents) -> Status {
      own = contents.size() == sizeof fingerprint && same(contents.data(), fingerprint, sizeof fingerprint);
      return {};
    });
  });
  raise_unless_ok(status, "cannot check the certificate");
  if (own && evidence.enrolled) return Shown::kRight;
  note(evidence, "the certificate is not the subject's");
  return Shown::kWrong;
}

}  // namespace visage::pg
