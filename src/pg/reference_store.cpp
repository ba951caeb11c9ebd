#include "pg/reference_store.h"

#include "pg/boundary.h"
#include "pg/envelope_io.h"
#include "pg/flow.h"
#include "pg/gallery_store.h"
#include "pg/keys.h"
#include "pg/settings.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

Statement insert_row = {
    "INSERT INTO visage.subject_reference (id, subject, reference, model, scheme, generation, channel, "
    "key_version, transform_version, adapted, origin) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    11,
    {"uuid", "uuid", "visage.reference", "text", "text", "integer", "text", "bigint", "bigint", "boolean",
     "text"}};
Statement update_row = {
    "UPDATE visage.subject_reference SET reference = $3, generation = $4, key_version = $5, "
    "transform_version = $6, origin = 'capture', created_at = CASE WHEN $7 THEN pg_catalog.clock_timestamp() "
    "ELSE created_at END "
    "WHERE id = $1 AND subject = $2 AND generation = $4 - 1",
    7,
    {"uuid", "uuid", "visage.reference", "integer", "bigint", "bigint", "boolean"}};

void make(const probe::Contents& probe, Bytes wrapped_key, bool anew, NewReference& out) {
  const keys::KeyRing& ring = key_ring();
  reference::Header& header = out.header;
  header.suite = settings::suite();
  header.scheme = reference::kSchemeRfr1;
  header.code_bits = reference::kDefaultCodeBits;
  out.sealed = new_envelope(reference::sealed_size(header.suite, header.code_bits));
  Gallery gallery;
  find_gallery(static_cast<int32>(header.owner.institution), probe, gallery);
  if (gallery.open) {
    out.gallery = gallery.id;
    out.epoch = gallery.epoch.number;
    out.code = new_envelope(gallery::sealed_code_size(header.suite));
  }
  const Status status = guarded([&]() -> Status {
    Secret<keys::SubjectKey> key;
    VISAGE_TRY(keys::unwrap_subject_key(engine(), ring, header.owner, wrapped_key, key.value));
    if (anew)
      VISAGE_TRY(reference::renew(engine(), ring, key.value, probe, header, envelope_span(out.sealed)));
    else
      VISAGE_TRY(reference::protect(engine(), ring, key.value, probe, header, envelope_span(out.sealed)));
    Secret<reference::Opened> opened;
    VISAGE_TRY(reference::open(engine(), ring, header.owner, key.value,
                               {header.reference, header.generation, envelope_bytes(out.sealed)}, header,
                               opened.value));
    VISAGE_TRY(reference::digest(engine(), key.value, header, opened.value, out.digest));
    return gallery.open ? encode(gallery, key.value, probe, header, envelope_span(out.code)) : Status();
  });
  raise_unless_ok(status, "cannot make a reference");
}

}  // namespace

void make_reference(const probe::Contents& probe, const keys::Owner& owner, Bytes wrapped_key,
                    NewReference& out) {
  memset(static_cast<void*>(&out), 0, sizeof out);
  out.header.owner = owner;
  out.header.generation = 1;
  make(probe, wrapped_key, false, out);
}

void remake_reference(const probe::Contents& probe, const keys::Owner& owner, Bytes wrapped_key,
                      const reference::Stored& stored, NewReference& out) {
  memset(static_cast<void*>(&out), 0, sizeof out);
  out.header.owner = owner;
  out.header.reference = stored.id;
  out.header.generation = stored.generation + 1;
  make(probe, wrapped_key, true, out);
}

void insert_reference(const NewReference& made, const char* model, const text* channel, bool adapted,
                      const char* origin) {
  const reference::Header& header = made.header;
  const Datum values[] = {uuid_datum(header.reference),
                          uuid_datum(header.owner.subject),
                          PointerGetDatum(made.sealed),
                          CStringGetTextDatum(model),
                          CStringGetTextDatum(kReferenceScheme),
                          Int32GetDatum(static_cast<int32>(header.generation)),
                          PointerGetDatum(channel),
                          Int64GetDatum(header.key_version),
                          Int64GetDatum(header.transform_version),
                          BoolGetDatum(adapted),
                          CStringGetTextDatum(origin)};
  execute(insert_row, values, nullptr, false);
  store_code(made.gallery, header, made.code);
}

bool update_reference(const NewReference& made, bool dated_anew) {
  const reference::Header& header = made.header;
  const Datum values[] = {
      uuid_datum(header.reference),      uuid_datum(header.owner.subject),
      PointerGetDatum(made.sealed),      Int32GetDatum(static_cast<int32>(header.generation)),
      Int64GetDatum(header.key_version), Int64GetDatum(header.transform_version),
      BoolGetDatum(dated_anew)};
  if (execute(update_row, values, nullptr, false) != 1) return false;
  store_code(made.gallery, header, made.code);
  return true;
}

}  // namespace visage::pg
