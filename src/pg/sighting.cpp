#include "pg/sighting.h"

#include "pg/append.h"
#include "pg/boundary.h"
#include "pg/clock.h"
#include "pg/known_relation.h"
#include "pg/statement.h"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace visage::pg {
namespace {

using audit::Field;

// Columns of visage.sighting, sql/install/86_risk.sql.
enum { kSubject, kAt, kAccepted, kDevice, kAddress, kLatitude, kLongitude, kColumns };

KnownRelation sighting_table("sighting");
KnownRelation sighting_index("sighting_subject");

Statement expire = {"SELECT visage.expire_sightings()", 0, {}};

bool read_hash(HeapTuple row, int place, TupleDesc description, risk::Hash& out) {
  bool is_null;
  const Datum value = heap_getattr(row, place + 1, description, &is_null);
  if (is_null) return false;
  const struct varlena* bytes = PG_DETOAST_DATUM_PACKED(value);
  if (VARSIZE_ANY_EXHDR(bytes) != sizeof out.bytes) return false;
  memcpy(out.bytes, VARDATA_ANY(bytes), sizeof out.bytes);
  return true;
}

void read_row(HeapTuple row, TupleDesc description, risk::Sighting& out) {
  bool is_null;
  out.at = to_unix(DatumGetTimestampTz(heap_getattr(row, kAt + 1, description, &is_null)));
  out.accepted = DatumGetBool(heap_getattr(row, kAccepted + 1, description, &is_null));
  out.has_device = read_hash(row, kDevice, description, out.device);
  out.has_address = read_hash(row, kAddress, description, out.address);
  const Datum latitude = heap_getattr(row, kLatitude + 1, description, &is_null);
  out.has_position = !is_null;
  const Datum longitude = heap_getattr(row, kLongitude + 1, description, &is_null);
  out.has_position = out.has_position && !is_null;
  // Through float4: what was a tenth of a degree is one again.
  if (out.has_position) out.position = risk::coarse({DatumGetFloat4(latitude), DatumGetFloat4(longitude)});
}

Datum hash_datum(const uint8_t* bytes) {
  auto* value = static_cast<bytea*>(palloc(VARHDRSZ + audit::kKeyedHashSize));
  SET_VARSIZE(value, VARHDRSZ + audit::kKeyedHashSize);
  memcpy(VARDATA(value), bytes, audit::kKeyedHashSize);
  return PointerGetDatum(value);
}

}  // namespace

void keep_sighting(const Context& context, bool accepted, Slot& slot) {
  slot.keep_sighting = true;
  slot.sighting.accepted = accepted;
  slot.sighting.has_position = context.has_position;
  if (!context.has_position) return;
  const risk::Position position = risk::coarse(context.position);
  slot.sighting.latitude = static_cast<float>(position.latitude);
  slot.sighting.longitude = static_cast<float>(position.longitude);
}

// By the index, backwards: a statement with its executor would take some times as long.
risk::Past read_past(const Uuid& subject, TimestampTz since, TimestampTz until, risk::Sighting* out) {
  ScanKeyData keys[3];
  ScanKeyInit(&keys[0], kSubject + 1, BTEqualStrategyNumber, F_UUID_EQ, uuid_datum(subject));
  ScanKeyInit(&keys[1], kAt + 1, BTGreaterStrategyNumber, F_TIMESTAMPTZ_GT, TimestampTzGetDatum(since));
  ScanKeyInit(&keys[2], kAt + 1, BTLessStrategyNumber, F_TIMESTAMPTZ_LT, TimestampTzGetDatum(until));
  const Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  Relation table = table_open(sighting_table.oid(), AccessShareLock);
  Relation index = index_open(sighting_index.oid(), AccessShareLock);
  SysScanDesc scan = systable_beginscan_ordered(table, index, snapshot, lengthof(keys), keys);
  size_t count = 0;
  HeapTuple row = nullptr;
  while (count < kMaxSightings &&
         HeapTupleIsValid(row = systable_getnext_ordered(scan, BackwardScanDirection)))
    read_row(row, RelationGetDescr(table), out[count++]);
  systable_endscan_ordered(scan);
  index_close(index, AccessShareLock);
  table_close(table, AccessShareLock);
  UnregisterSnapshot(snapshot);
  return {out, count};
}

void append_sightings(const NewEvent* events, int count) {
  int kept = 0;
  for (int i = 0; i < count; ++i)
    if (events[i].slot != nullptr && events[i].slot->keep_sighting && events[i].record->has(Field::kSubject))
      ++kept;
  if (kept == 0) return;
  auto* values = static_cast<Datum*>(palloc0(sizeof(Datum) * static_cast<size_t>(kept) * kColumns));
  auto* nulls = static_cast<bool*>(palloc0(static_cast<size_t>(kept) * kColumns));
  int row = 0;
  for (int i = 0; i < count; ++i) {
    if (events[i].slot == nullptr || !events[i].slot->keep_sighting ||
        !events[i].record->has(Field::kSubject))
      continue;
    const audit::EventRecord& record = *events[i].record;
    const SlotSighting& sighting = events[i].slot->sighting;
    Datum* const value = values + static_cast<ptrdiff_t>(row) * kColumns;
    bool* const null = nulls + static_cast<ptrdiff_t>(row) * kColumns;
    value[kSubject] = uuid_datum(record.subject);
    value[kAt] = TimestampTzGetDatum(events[i].at);
    value[kAccepted] = BoolGetDatum(sighting.accepted);
    null[kDevice] = !record.has(Field::kDevice);
    if (!null[kDevice]) value[kDevice] = hash_datum(record.device);
    null[kAddress] = !record.has(Field::kAddress);
    if (!null[kAddress]) value[kAddress] = hash_datum(record.address);
    null[kLatitude] = null[kLongitude] = !sighting.has_position;
    value[kLatitude] = Float4GetDatum(sighting.latitude);
    value[kLongitude] = Float4GetDatum(sighting.longitude);
    ++row;
  }
  append_rows("sighting", kColumns, values, nulls, kept);
}

void expire_sightings() {
  execute(expire, nullptr, nullptr, false);
}

}  // namespace visage::pg
