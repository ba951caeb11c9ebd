// The rows of a subject, read through their indexes: each verification does it, and a statement with its
// executor would take three times as long as the comparison (bench-audit).
#include <algorithm>

#include "pg/boundary.h"
#include "pg/index_rows.h"
#include "pg/statement.h"
#include "pg/subject.h"

extern "C" {
#include "catalog/pg_collation.h"
#include "utils/snapmgr.h"
}

namespace visage::pg {
namespace {

// Columns, in sql/install/40_subject.sql.
namespace subject_column {
constexpr AttrNumber kId = 1, kInstitution = 2, kExternalId = 3;
}
namespace key_column {
constexpr AttrNumber kSubject = 1, kWrapped = 2;
}
namespace reference_column {
constexpr AttrNumber kId = 1, kSubject = 2, kReference = 3, kGeneration = 6, kTransformVersion = 9,
                     kCreatedAt = 10, kAdapted = 11;
}

KnownRelation subject_table("subject");
KnownRelation subject_index("subject_institution_external_id_key");
KnownRelation key_table("subject_key");
KnownRelation key_index("subject_key_pkey");
KnownRelation reference_table("subject_reference");
KnownRelation reference_index("subject_reference_subject");

Statement lock_subject = {
    "SELECT s.id FROM visage.subject s WHERE s.institution = $1 AND s.external_id = $2 FOR UPDATE",
    2,
    {"integer", "text"}};

struct Found {
  reference::Stored stored;
  ReferenceRow row;
  bool expired;
};

bool find_subject(Snapshot snapshot, int32 institution, const text* subject, Uuid& id) {
  ScanKeyData keys[2];
  ScanKeyInit(&keys[0], subject_column::kInstitution, BTEqualStrategyNumber, F_INT4EQ,
              Int32GetDatum(institution));
  ScanKeyInit(&keys[1], subject_column::kExternalId, BTEqualStrategyNumber, F_TEXTEQ,
              PointerGetDatum(subject));
  // ScanKeyInit's C collation is the catalogs'; the index descends in the column's own order.
  keys[1].sk_collation = DEFAULT_COLLATION_OID;
  bool found = false;
  for_each_row(subject_table, subject_index, snapshot, keys, lengthof(keys),
               [&](HeapTuple row, TupleDesc description) {
                 id = uuid_of(row, subject_column::kId, description);
                 found = true;
               });
  return found;
}

// The key of the first subject from `id` on, which becomes that subject's.
bool find_key_from(Snapshot snapshot, Uuid& id, Bytes& wrapped) {
  const Uuid from = id;
  ScanKeyData key;
  ScanKeyInit(&key, key_column::kSubject, BTGreaterEqualStrategyNumber, F_UUID_GE, uuid_datum(from));
  bool found = false;
  take_rows_until(key_table, key_index, snapshot, &key, 1, [&](HeapTuple row, TupleDesc description) {
    id = uuid_of(row, key_column::kSubject, description);
    wrapped = copy_of(row, key_column::kWrapped, description);
    return found = true;
  });
  return found;
}

// Somebody's key, for who is not there: it costs the rows of somebody who is.
void find_any_key(Snapshot snapshot, Uuid& id, Bytes& wrapped) {
  id = uuid_by_chance();
  if (find_key_from(snapshot, id, wrapped)) return;
  id = {};  // behind the last is the first
  find_key_from(snapshot, id, wrapped);
}

int find_references(Snapshot snapshot, const Uuid& subject, Found (&out)[kMaxReferences]) {
  ScanKeyData key;
  ScanKeyInit(&key, reference_column::kSubject, BTEqualStrategyNumber, F_UUID_EQ, uuid_datum(subject));
  int count = 0;
  for_each_row(
      reference_table, reference_index, snapshot, &key, 1, [&](HeapTuple row, TupleDesc description) {
        if (count == kMaxReferences)
          ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
                          errmsg("subject has more than %d references", kMaxReferences)));
        Found& found = out[count++];
        found.stored.id = uuid_of(row, reference_column::kId, description);
        found.stored.generation =
            static_cast<uint32_t>(DatumGetInt32(datum_of(row, reference_column::kGeneration, description)));
        found.stored.envelope = copy_of(row, reference_column::kReference, description);
        found.row.transform_version = static_cast<uint32_t>(
            DatumGetInt64(datum_of(row, reference_column::kTransformVersion, description)));
        found.row.created_at = DatumGetTimestampTz(datum_of(row, reference_column::kCreatedAt, description));
        found.row.adapted = DatumGetBool(datum_of(row, reference_column::kAdapted, description));
      });
  std::sort(out, out + count, [](const Found& left, const Found& right) {
    if (left.row.created_at != right.row.created_at) return left.row.created_at < right.row.created_at;
    return memcmp(left.stored.id.bytes, right.stored.id.bytes, sizeof left.stored.id.bytes) < 0;
  });
  return count;
}

// Those that have expired go to the end. An adapted one lives as long as an original does. How many live.
int part_expired(const ReferenceRule& rule, Found* found, int count) {
  if (!rule.expires) return count;
  const TimestampTz cutoff = expiry_cutoff(rule);
  const bool anchored = std::any_of(found, found + count, [&](const Found& one) {
    return !one.row.adapted && one.row.created_at > cutoff;
  });
  for (int i = 0; i < count; ++i) found[i].expired = !anchored || found[i].row.created_at <= cutoff;
  return static_cast<int>(
      std::partition(found, found + count, [](const Found& one) { return !one.expired; }) - found);
}

}  // namespace

bool find_subject_key(Snapshot snapshot, const Uuid& subject, Bytes& wrapped) {
  ScanKeyData key;
  ScanKeyInit(&key, key_column::kSubject, BTEqualStrategyNumber, F_UUID_EQ, uuid_datum(subject));
  bool found = false;
  for_each_row(key_table, key_index, snapshot, &key, 1, [&](HeapTuple row, TupleDesc description) {
    wrapped = copy_of(row, key_column::kWrapped, description);
    found = true;
  });
  return found;
}

bool find_registered(int32 institution, const text* subject, Uuid& out) {
  const Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  Uuid id = {};
  const bool found = find_subject(snapshot, institution, subject, id);
  UnregisterSnapshot(snapshot);
  if (found) out = id;
  return found;
}

void load_subject(Flow& flow, const text* subject, bool lock, SubjectRecord& out) {
  const int32 institution = flow.policy.institution;
  if (lock) {
    // First: the rows must be read after a concurrent change has committed.
    const Datum arguments[] = {Int32GetDatum(institution), PointerGetDatum(subject)};
    execute(lock_subject, arguments, nullptr, false);
  }
  // Not the transaction's own snapshot: to an old REPEATABLE READ one a cancelled subject is still there.
  const Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  Uuid id = {};
  Found found[kMaxReferences];
  out.found = find_subject(snapshot, institution, subject, id);
  bool has_key = false;
  if (out.found)
    has_key = find_subject_key(snapshot, id, out.wrapped_key);
  else
    find_any_key(snapshot, id, out.wrapped_key);
  out.reference_count = find_references(snapshot, id, found);
  UnregisterSnapshot(snapshot);
  out.found = out.found && has_key;
  if (!out.found) {
    out.reference_count = out.live_count = 0;
    return;
  }
  out.live_count = part_expired(flow.policy.references, found, out.reference_count);
  for (int i = 0; i < out.reference_count; ++i) {
    out.references[i] = found[i].stored;
    out.rows[i] = found[i].row;
  }
  out.owner = {static_cast<uint32_t>(institution), id};
  flow.subject = id;
  flow.has_subject = true;
}

}  // namespace visage::pg
