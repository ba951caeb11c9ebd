// What the keeper does to rows after a new envelope root: wrapped keys and references come under it, so that
// the old one can be taken away. Both return null, with a warning, for a row that does not open: one altered
// row must not stop the others, and visage.integrity() reports it.
#include "core/factor/factor.h"
#include "core/keys/ledger_key.h"
#include "core/reference/reference.h"
#include "pg/boundary.h"
#include "pg/envelope_io.h"
#include "pg/keys.h"

namespace visage::pg {
namespace {

keys::Owner owner_argument(FunctionCallInfo fcinfo) {
  keys::Owner owner = {static_cast<uint32_t>(PG_GETARG_INT32(0)), {}};
  memcpy(owner.subject.bytes, PG_GETARG_UUID_P(1)->data, sizeof owner.subject.bytes);
  return owner;
}

// Arguments: institution, subject, wrapped key, id, kind.
factor::Place factor_argument(FunctionCallInfo fcinfo) {
  factor::Place place = {{}, owner_argument(fcinfo), {}};
  memcpy(place.factor.bytes, PG_GETARG_UUID_P(3)->data, sizeof place.factor.bytes);
  factor::find_kind(DatumGetCString(DirectFunctionCall1(enum_out, PG_GETARG_DATUM(4))), place.kind);
  return place;
}

void warn(const Status& status, const Uuid& row, const char* what) {
  const Datum text = DirectFunctionCall1(uuid_out, UUIDPGetDatum(reinterpret_cast<const pg_uuid_t*>(&row)));
  ereport(WARNING, (errmsg("%s %s: %s", what, DatumGetCString(text), status.message),
                    errhint("SELECT * FROM visage.integrity() lists all that do not open.")));
}

// Opens a row's key and reference. Arguments: institution, subject, wrapped key, id, generation, reference.
Status open_row(FunctionCallInfo fcinfo, keys::SubjectKey& key, reference::Header& header,
                reference::Opened& opened) {
  const keys::Owner owner = owner_argument(fcinfo);
  reference::Stored stored = {
      {}, static_cast<uint32_t>(PG_GETARG_INT32(4)), envelope_bytes(PG_GETARG_VARLENA_PP(5))};
  memcpy(stored.id.bytes, PG_GETARG_UUID_P(3)->data, sizeof stored.id.bytes);
  const Bytes wrapped = envelope_bytes(PG_GETARG_VARLENA_PP(2));
  return guarded([&]() -> Status {
    VISAGE_TRY(keys::unwrap_subject_key(engine(), key_ring(), owner, wrapped, key));
    return reference::open(engine(), key_ring(), owner, key, stored, header, opened);
  });
}

// Plain copies of what Secret<> holds in the core: wiped by their users, as no destructor may run here.
struct Row {
  keys::SubjectKey key;
  reference::Header header;
  reference::Opened opened;
};

}  // namespace

// rewrap_key(institution, subject, wrapped) → wrapped under the newest root
VISAGE_FUNCTION(visage_rewrap_key) {
  const keys::Owner owner = owner_argument(fcinfo);
  const Bytes wrapped = envelope_bytes(PG_GETARG_VARLENA_PP(2));
  const keys::KeyRing& ring = key_ring();
  struct varlena* out = new_envelope(wrapped.size());
  const Status status =
      guarded([&] { return keys::rewrap_subject_key(engine(), ring, owner, wrapped, envelope_span(out)); });
  if (status.ok()) return PointerGetDatum(out);
  warn(status, owner.subject, "key of subject");
  PG_RETURN_NULL();
}

// reseal_reference(institution, subject, wrapped, id, generation, reference) → sealed under the newest root
VISAGE_FUNCTION(visage_reseal_reference) {
  const keys::KeyRing& ring = key_ring();
  struct varlena* out = new_envelope(VARSIZE_ANY_EXHDR(PG_GETARG_VARLENA_PP(5)));
  Row row;
  Status status = open_row(fcinfo, row.key, row.header, row.opened);
  if (status.ok())
    status = guarded([&] {
      return reference::reseal(engine(), ring, row.key, row.header, row.opened, envelope_span(out));
    });
  wipe(&row, sizeof row);
  if (status.ok()) return PointerGetDatum(out);
  Uuid id;
  memcpy(id.bytes, PG_GETARG_UUID_P(3)->data, sizeof id.bytes);
  warn(status, id, "reference");
  PG_RETURN_NULL();
}

// reseal_factor(institution, subject, wrapped, id, kind, sealed) → sealed under the newest root
VISAGE_FUNCTION(visage_reseal_factor) {
  const keys::KeyRing& ring = key_ring();
  const Bytes sealed = envelope_bytes(PG_GETARG_VARLENA_PP(5));
  const factor::Place place = factor_argument(fcinfo);
  struct varlena* out = new_envelope(sealed.size());
  const Bytes wrapped = envelope_bytes(PG_GETARG_VARLENA_PP(2));
  const Status status = guarded([&]() -> Status {
    Secret<keys::SubjectKey> key;
    VISAGE_TRY(keys::unwrap_subject_key(engine(), ring, place.owner, wrapped, key.value));
    return factor::reseal(engine(), ring, key.value, place, sealed, envelope_span(out));
  });
  if (status.ok()) return PointerGetDatum(out);
  warn(status, place.factor, "factor");
  PG_RETURN_NULL();
}

// open_reference(institution, subject, wrapped, id, generation, reference) → (digest, fault): does it open
// under its subject's key, and is it the one that the ledger has the digest of? Tells nothing of a face.
VISAGE_FUNCTION(visage_open_reference) {
  TupleDesc descriptor;
  if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
    elog(ERROR, "return type must be a row type");
  key_ring();
  auto* digest = static_cast<struct varlena*>(palloc0(VARHDRSZ + reference::kDigestSize));
  SET_VARSIZE(digest, VARHDRSZ + reference::kDigestSize);
  Row row;
  Status status = open_row(fcinfo, row.key, row.header, row.opened);
  if (status.ok())
    status = guarded([&] {
      return reference::digest(engine(), row.key, row.header, row.opened,
                               reinterpret_cast<uint8_t*>(VARDATA(digest)));
    });
  wipe(&row, sizeof row);
  Datum values[] = {PointerGetDatum(digest), status.ok() ? 0 : CStringGetTextDatum(status.message)};
  bool nulls[] = {!status.ok(), status.ok()};
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}

// open_factor(institution, subject, wrapped, id, kind, sealed) → why it does not open, or null
VISAGE_FUNCTION(visage_open_factor) {
  const keys::KeyRing& ring = key_ring();
  const Bytes sealed = envelope_bytes(PG_GETARG_VARLENA_PP(5));
  const factor::Place place = factor_argument(fcinfo);
  const Bytes wrapped = envelope_bytes(PG_GETARG_VARLENA_PP(2));
  const Status status = guarded([&]() -> Status {
    Secret<keys::SubjectKey> key;
    Secret<KeyBytes<factor::kMaxContents>> contents;
    size_t size = 0;
    VISAGE_TRY(keys::unwrap_subject_key(engine(), ring, place.owner, wrapped, key.value));
    return factor::open(engine(), ring, key.value, place, sealed, contents.value.span(), size);
  });
  if (status.ok()) PG_RETURN_NULL();
  PG_RETURN_DATUM(CStringGetTextDatum(status.message));
}

// erasure_hash(institution, id, key_version) → the name of something erased on the list of erasures
VISAGE_FUNCTION(visage_erasure_hash) {
  const keys::Owner owner = owner_argument(fcinfo);
  const keys::KeyRing& ring = key_ring();
  auto* out = static_cast<struct varlena*>(palloc(VARHDRSZ + keys::kKeyedHashSize));
  SET_VARSIZE(out, VARHDRSZ + keys::kKeyedHashSize);
  const Status status = guarded([&] {
    return keys::keyed_hash_under(engine(), ring, static_cast<uint32_t>(PG_GETARG_INT64(2)),
                                  keys::HashedKind::kErased, owner.institution, owner.subject.view(),
                                  reinterpret_cast<uint8_t*>(VARDATA(out)));
  });
  raise_unless_ok(status, "cannot read the list of erasures");
  PG_RETURN_BYTEA_P(out);
}

}  // namespace visage::pg
