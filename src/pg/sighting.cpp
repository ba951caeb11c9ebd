#include "pg/sighting.h"

#include "pg/append.h"
#include "pg/boundary.h"
#include "pg/clock.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

using audit::Field;

// Columns of visage.sighting, sql/install/86_risk.sql.
enum { kSubject, kAt, kAccepted, kDevice, kAddress, kLatitude, kLongitude, kColumns };

Statement find_sightings = {
    "SELECT s.at, s.accepted, s.device, s.address, s.latitude, s.longitude FROM visage.sighting s "
    "WHERE s.subject = $1 AND s.at > $2 AND s.at < $3 ORDER BY s.at DESC LIMIT 256",
    3,
    {"uuid", "timestamptz", "timestamptz"}};
static_assert(kMaxSightings == 256);

Statement expire = {"SELECT visage.expire_sightings()", 0, {}};

bool read_hash(uint64 row, int number, risk::Hash& out) {
  if (column_is_null(row, number)) return false;
  const Bytes bytes = column_bytes(row, number);
  if (bytes.size() != sizeof out.bytes) return false;
  memcpy(out.bytes, bytes.data(), sizeof out.bytes);
  return true;
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

risk::Past read_past(const Uuid& subject, TimestampTz since, TimestampTz until, risk::Sighting* out) {
  const Datum arguments[] = {uuid_datum(subject), TimestampTzGetDatum(since), TimestampTzGetDatum(until)};
  const uint64 rows = execute(find_sightings, arguments, nullptr, true);
  for (uint64 row = 0; row < rows; ++row) {
    risk::Sighting& sighting = out[row];
    bool is_null;
    sighting.at = to_unix(DatumGetTimestampTz(column(row, 1, &is_null)));
    sighting.accepted = DatumGetBool(column(row, 2, &is_null));
    sighting.has_device = read_hash(row, 3, sighting.device);
    sighting.has_address = read_hash(row, 4, sighting.address);
    const Datum latitude = column(row, 5, &is_null);
    sighting.has_position = !is_null && !column_is_null(row, 6);
    if (!sighting.has_position) continue;
    // Through float4: what was a tenth of a degree is one again.
    sighting.position = risk::coarse({DatumGetFloat4(latitude), DatumGetFloat4(column(row, 6, &is_null))});
  }
  SPI_freetuptable(SPI_tuptable);
  return {out, rows};
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
