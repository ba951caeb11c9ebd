#include "pg/event_row.h"

#include "pg/clock.h"

extern "C" {
#include "catalog/pg_enum.h"
}

namespace visage::pg {
namespace {

using audit::EventRecord;
using audit::Field;

bool find_label(Oid type, const char* label, Oid& out) {
  const HeapTuple tuple = SearchSysCache2(ENUMTYPOIDNAME, ObjectIdGetDatum(type), CStringGetDatum(label));
  if (!HeapTupleIsValid(tuple)) return false;
  out = reinterpret_cast<Form_pg_enum>(GETSTRUCT(tuple))->oid;
  ReleaseSysCache(tuple);
  return true;
}

template <typename Enum, size_t kCount>
bool find_labels(const char* name, Oid schema, Oid& type, Oid (&out)[kCount]) {
  type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(name), ObjectIdGetDatum(schema));
  if (!OidIsValid(type)) return false;
  for (size_t i = 0; i < kCount; ++i) {
    out[i] = InvalidOid;
    const char* label = audit::label(static_cast<Enum>(i));
    if (label[0] != '\0' && !find_label(type, label, out[i])) return false;
  }
  return true;
}

// One after the other, in the order of the columns.
class RowWriter {
 public:
  RowWriter(const EventRecord& record, Datum* values, bool* nulls)
      : record_(record), values_(values), nulls_(nulls) {}

  void always(Datum value) { put(value, true); }
  void field(Field field, Datum value) { put(value, record_.has(field)); }
  template <typename Text>
  void text(Field field, const Text& value) {
    put(record_.has(field) ? text_datum(value) : 0, record_.has(field));
  }
  void hash(Field field, const uint8_t* bytes, size_t size) { put_bytes(bytes, size, record_.has(field)); }
  void put_bytes(const uint8_t* bytes, size_t size, bool present) {
    Datum value = 0;
    if (present) {
      auto* varlena = static_cast<struct varlena*>(palloc(VARHDRSZ + size));
      SET_VARSIZE(varlena, VARHDRSZ + size);
      memcpy(VARDATA(varlena), bytes, size);
      value = PointerGetDatum(varlena);
    }
    put(value, present);
  }
  template <typename Text>
  static Datum text_datum(const Text& value) {
    return PointerGetDatum(cstring_to_text_with_len(value.bytes, value.size));
  }

 private:
  void put(Datum value, bool present) {
    values_[place_] = value;
    nulls_[place_] = !present;
    ++place_;
  }

  const EventRecord& record_;
  Datum* values_;
  bool* nulls_;
  int place_ = 0;
};

// Latches a failure, like core's Reader.
class RowReader {
 public:
  RowReader(const Datum* values, const bool* nulls, EventRecord& record)
      : values_(values), nulls_(nulls), record_(record) {}

  // The next value, or null for SQL's null.
  const Datum* next() {
    const int place = place_++;
    return nulls_[place] ? nullptr : &values_[place];
  }
  const Datum* required() {
    const Datum* value = next();
    if (value == nullptr) ok_ = false;
    return value;
  }
  const Datum* optional(Field field) {
    const Datum* value = next();
    if (value != nullptr) record_.mark(field);
    return value;
  }
  void uuid(const Datum* value, Uuid& out) {
    if (value != nullptr) memcpy(out.bytes, DatumGetUUIDP(*value)->data, sizeof out.bytes);
  }
  template <typename Text>
  void text(const Datum* value, Text& out) {
    if (value == nullptr) return;
    const struct varlena* varlena = PG_DETOAST_DATUM_PACKED(*value);
    const size_t size = VARSIZE_ANY_EXHDR(varlena);
    if (size > sizeof out.bytes) ok_ = false;
    out.set({VARDATA_ANY(varlena), size});
  }
  void bytes(const Datum* value, uint8_t* out, size_t size) {
    if (value == nullptr) return;
    const struct varlena* varlena = PG_DETOAST_DATUM_PACKED(*value);
    if (VARSIZE_ANY_EXHDR(varlena) != size)
      ok_ = false;
    else
      memcpy(out, VARDATA_ANY(varlena), size);
  }
  template <typename Enum, size_t kCount>
  void label(const Datum* value, const Oid (&oids)[kCount], Enum& out) {
    if (value == nullptr) return;
    for (size_t i = 0; i < kCount; ++i)
      if (oids[i] == DatumGetObjectId(*value)) {
        out = static_cast<Enum>(i);
        return;
      }
    ok_ = false;
  }
  bool ok() const { return ok_; }

 private:
  const Datum* values_;
  const bool* nulls_;
  EventRecord& record_;
  int place_ = 0;
  bool ok_ = true;
};

}  // namespace

bool load_enum_labels(EnumLabels& out) {
  const Oid schema = get_namespace_oid("visage", true);
  out.loaded = OidIsValid(schema) &&
               find_labels<audit::Operation>("operation", schema, out.type[0], out.operation) &&
               find_labels<audit::Decision>("decision", schema, out.type[1], out.decision) &&
               find_labels<audit::Reason>("reason", schema, out.type[2], out.reason);
  return out.loaded;
}

void form_event(const EnumLabels& labels, const EventRow& row, Datum* values, bool* nulls) {
  const EventRecord& record = row.record;
  RowWriter out(record, values, nulls);
  out.always(Int64GetDatum(row.seq));
  out.always(TimestampTzGetDatum(row.at));
  out.always(ObjectIdGetDatum(labels.operation[static_cast<int>(record.operation)]));
  out.always(PointerGetDatum(&record.transaction));
  out.always(RowWriter::text_datum(record.caller));
  out.field(Field::kInstitution, Int32GetDatum(record.institution));
  out.field(Field::kSubject, PointerGetDatum(&record.subject));
  out.text(Field::kChannel, record.channel);
  out.text(Field::kScenario, record.scenario);
  out.field(Field::kDecision, ObjectIdGetDatum(labels.decision[static_cast<int>(record.decision)]));
  out.field(Field::kReason, ObjectIdGetDatum(labels.reason[static_cast<int>(record.reason)]));
  out.field(Field::kTargetFmr, Float8GetDatum(record.target_fmr));
  out.text(Field::kModel, record.model);
  out.field(Field::kPolicyVersion, Int32GetDatum(record.policy_version));
  out.field(Field::kSource, PointerGetDatum(&record.source));
  out.field(Field::kProbe, PointerGetDatum(&record.probe));
  out.field(Field::kReference, PointerGetDatum(&record.reference));
  out.hash(Field::kAddress, record.address, sizeof record.address);
  out.hash(Field::kDevice, record.device, sizeof record.device);
  out.text(Field::kBusinessId, record.business_id);
  out.field(Field::kElapsed, Int64GetDatum(record.elapsed_us));
  out.field(Field::kXid, UInt64GetDatum(record.xid));
  out.field(Field::kSettles, Int64GetDatum(record.settles));
  out.text(Field::kObject, record.object);
  out.hash(Field::kBefore, record.before, sizeof record.before);
  out.hash(Field::kAfter, record.after, sizeof record.after);
  out.text(Field::kNote, record.note);
  out.hash(Field::kDetail, record.detail, sizeof record.detail);
  out.field(Field::kSession, PointerGetDatum(&record.session));
  out.hash(Field::kRequest, record.request, sizeof record.request);
  out.put_bytes(reinterpret_cast<const uint8_t*>(record.capture.bytes), record.capture.size,
                record.has(Field::kCapture));
  out.put_bytes(row.leaf.bytes, sizeof row.leaf.bytes, true);
  out.put_bytes(row.head, sizeof row.head, row.has_head);
}

bool read_event(const EnumLabels& labels, const Datum* values, const bool* nulls, EventRow& out) {
  memset(static_cast<void*>(&out), 0, sizeof out);
  EventRecord& record = out.record;
  RowReader in(values, nulls, record);
  const Datum* value = in.required();
  out.seq = value != nullptr ? DatumGetInt64(*value) : -1;
  if ((value = in.required()) != nullptr) out.at = DatumGetTimestampTz(*value);
  in.label(in.required(), labels.operation, record.operation);
  in.uuid(in.required(), record.transaction);
  in.text(in.required(), record.caller);
  if ((value = in.optional(Field::kInstitution)) != nullptr) record.institution = DatumGetInt32(*value);
  in.uuid(in.optional(Field::kSubject), record.subject);
  in.text(in.optional(Field::kChannel), record.channel);
  in.text(in.optional(Field::kScenario), record.scenario);
  in.label(in.optional(Field::kDecision), labels.decision, record.decision);
  in.label(in.optional(Field::kReason), labels.reason, record.reason);
  if ((value = in.optional(Field::kTargetFmr)) != nullptr) record.target_fmr = DatumGetFloat8(*value);
  in.text(in.optional(Field::kModel), record.model);
  if ((value = in.optional(Field::kPolicyVersion)) != nullptr) record.policy_version = DatumGetInt32(*value);
  in.uuid(in.optional(Field::kSource), record.source);
  in.uuid(in.optional(Field::kProbe), record.probe);
  in.uuid(in.optional(Field::kReference), record.reference);
  in.bytes(in.optional(Field::kAddress), record.address, sizeof record.address);
  in.bytes(in.optional(Field::kDevice), record.device, sizeof record.device);
  in.text(in.optional(Field::kBusinessId), record.business_id);
  if ((value = in.optional(Field::kElapsed)) != nullptr) record.elapsed_us = DatumGetInt64(*value);
  if ((value = in.optional(Field::kXid)) != nullptr) record.xid = DatumGetUInt64(*value);
  if ((value = in.optional(Field::kSettles)) != nullptr) record.settles = DatumGetInt64(*value);
  in.text(in.optional(Field::kObject), record.object);
  in.bytes(in.optional(Field::kBefore), record.before, sizeof record.before);
  in.bytes(in.optional(Field::kAfter), record.after, sizeof record.after);
  in.text(in.optional(Field::kNote), record.note);
  in.bytes(in.optional(Field::kDetail), record.detail, sizeof record.detail);
  in.uuid(in.optional(Field::kSession), record.session);
  in.bytes(in.optional(Field::kRequest), record.request, sizeof record.request);
  in.text(in.optional(Field::kCapture), record.capture);
  in.bytes(in.required(), out.leaf.bytes, sizeof out.leaf.bytes);
  value = in.next();
  out.has_head = value != nullptr;
  in.bytes(value, out.head, sizeof out.head);
  return in.ok();
}

}  // namespace visage::pg
