// A session's row, and what the ledger has of it.
#include <algorithm>
#include <functional>

#include "core/factor/factor.h"
#include "pg/event_row.h"
#include "pg/index_rows.h"
#include "pg/session.h"
#include "pg/statement.h"

extern "C" {
#include "utils/snapmgr.h"
}

namespace visage::pg {
namespace {

// Columns, in sql/install/53_session.sql.
namespace session_column {
constexpr AttrNumber kId = 1, kInstitution = 2, kPurpose = 3, kScenario = 4, kOpenedChannel = 5, kChannel = 6,
                     kSubjectHash = 7, kSubject = 8, kDevice = 9, kNonce = 10, kFactors = 11, kChallenge = 12,
                     kOpenedAt = 13, kExpiresAt = 14, kClaimedAt = 15, kPageOpenedAt = 16,
                     kDocumentRequired = 17;
}
// In sql/install/50_audit.sql.
namespace event_column {
constexpr AttrNumber kAt = 2, kOperation = 3, kDecision = 10, kObject = 24, kSession = 29;
}

KnownRelation session_table("session");
KnownRelation session_index("session_pkey");
KnownRelation event_table("event");
KnownRelation event_index("event_session");

EnumLabels labels = {};

void require_labels(TupleDesc event) {
  const Oid type = TupleDescAttr(event, event_column::kOperation - 1)->atttypid;
  if ((!labels.loaded || labels.type[0] != type) && !load_enum_labels(labels))
    elog(ERROR, "the types of visage.event are not this version's");
}

text* text_of(HeapTuple row, AttrNumber column, TupleDesc description) {
  return DatumGetTextPCopy(datum_of(row, column, description));
}

bool copy_hash(HeapTuple row, AttrNumber column, TupleDesc description, uint8_t* out, size_t size) {
  bool is_null;
  datum_of(row, column, description, &is_null);
  if (is_null) return false;
  const Bytes value = copy_of(row, column, description);
  if (value.size() != size) elog(ERROR, "session with a malformed hash");
  memcpy(out, value.data(), size);
  return true;
}

void read_session(HeapTuple row, TupleDesc description, SessionRow& out) {
  using namespace session_column;
  const char* const purpose =
      DatumGetCString(OidFunctionCall1(F_ENUM_OUT, datum_of(row, kPurpose, description)));
  if (!audit::find_operation(purpose, out.purpose)) elog(ERROR, "session of an unknown purpose");
  out.institution = DatumGetInt32(datum_of(row, kInstitution, description));
  out.scenario = text_of(row, kScenario, description);
  out.channel = text_of(row, kChannel, description);
  const text* opened = text_of(row, kOpenedChannel, description);
  out.cross_channel = VARSIZE_ANY_EXHDR(opened) != VARSIZE_ANY_EXHDR(out.channel) ||
                      memcmp(VARDATA_ANY(opened), VARDATA_ANY(out.channel), VARSIZE_ANY_EXHDR(opened)) != 0;
  bool is_null;
  datum_of(row, kClaimedAt, description, &is_null);
  out.claimed = !is_null;
  datum_of(row, kPageOpenedAt, description, &is_null);
  out.announced = out.cross_channel || !is_null;
  out.document_required = DatumGetBool(datum_of(row, kDocumentRequired, description));
  out.subject.kind = keys::HashedKind::kSubject;
  out.has_subject_hash = copy_hash(row, kSubjectHash, description, out.subject.key, sizeof out.subject.key);
  datum_of(row, kSubject, description, &is_null);
  out.has_subject = !is_null;
  if (out.has_subject) out.surrogate = uuid_of(row, kSubject, description);
  out.has_device = copy_hash(row, kDevice, description, out.device, sizeof out.device);
  if (!copy_hash(row, kNonce, description, out.nonce, sizeof out.nonce))
    elog(ERROR, "session without a nonce");
  out.factors = DatumGetInt16(datum_of(row, kFactors, description));
  out.challenge = text_to_cstring(text_of(row, kChallenge, description));
  out.opened_at = DatumGetTimestampTz(datum_of(row, kOpenedAt, description));
  out.expires_at = DatumGetTimestampTz(datum_of(row, kExpiresAt, description));
}

struct Shown {
  TimestampTz first_at[factor::kKinds];  // 0: never
};

// One whose object begins with 'session' used the session up; those of factors have the kind there.
void read_event(HeapTuple row, TupleDesc description, SessionRow& out, Shown& shown) {
  using namespace event_column;
  bool is_null;
  const Datum object = datum_of(row, kObject, description, &is_null);
  if (is_null) return;
  const char* const name = TextDatumGetCString(object);
  if (strncmp(name, "session", strlen("session")) == 0) {
    out.used = true;
    return;
  }
  require_labels(description);
  const auto operation = DatumGetObjectId(datum_of(row, kOperation, description));
  const auto decision = DatumGetObjectId(datum_of(row, kDecision, description, &is_null));
  if (operation != labels.operation[static_cast<int>(audit::Operation::kPresentFactor)] || is_null ||
      decision != labels.decision[static_cast<int>(audit::Decision::kAccept)])
    return;
  factor::Kind kind;
  if (!factor::find_kind(name, kind)) elog(ERROR, "a factor of an unknown kind was presented");
  const TimestampTz at = DatumGetTimestampTz(datum_of(row, kAt, description));
  TimestampTz& first = shown.first_at[static_cast<int>(kind) - 1];
  if (first == 0 || at < first) first = at;
}

void sum_up(Shown& shown, SessionRow& out) {
  TimestampTz* const begin = shown.first_at;
  TimestampTz* const end = begin + factor::kKinds;
  out.face_presented = shown.first_at[static_cast<int>(factor::Kind::kFace) - 1] != 0;
  std::sort(begin, end, std::greater<>());
  out.presented = static_cast<int>(std::count_if(begin, end, [](TimestampTz at) { return at != 0; }));
  // In descending order, those that were not shown at the end.
  if (out.factors > 0 && out.presented >= out.factors) out.shown_at = begin[out.presented - out.factors];
}

}  // namespace

bool find_session(const Uuid& id, int32 institution, SessionRow& out) {
  memset(static_cast<void*>(&out), 0, sizeof out);
  out.id = id;
  // Not the transaction's own: what other calls did since counts.
  const Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  ScanKeyData key;
  ScanKeyInit(&key, session_column::kId, BTEqualStrategyNumber, F_UUID_EQ, uuid_datum(id));
  bool found = false;
  for_each_row(session_table, session_index, snapshot, &key, 1, [&](HeapTuple row, TupleDesc description) {
    read_session(row, description, out);
    found = out.institution == institution;
  });
  Shown shown = {};
  ScanKeyInit(&key, event_column::kSession, BTEqualStrategyNumber, F_UUID_EQ, uuid_datum(id));
  if (found)
    for_each_row(event_table, event_index, snapshot, &key, 1,
                 [&](HeapTuple row, TupleDesc description) { read_event(row, description, out, shown); });
  UnregisterSnapshot(snapshot);
  sum_up(shown, out);
  out.institution = institution;
  return found;
}

}  // namespace visage::pg
