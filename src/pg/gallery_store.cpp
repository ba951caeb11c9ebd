#include "pg/gallery_store.h"

#include <algorithm>

#include "core/gallery/bound.h"
#include "pg/boundary.h"
#include "pg/envelope_io.h"
#include "pg/keys.h"
#include "pg/policy_generation.h"
#include "pg/secret_memory.h"
#include "pg/settings.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

#define VISAGE_EPOCH "SELECT " VISAGE_EPOCH_COLUMNS " FROM visage.gallery g "

Statement find_open = {
    VISAGE_EPOCH "WHERE g.institution = $1 AND g.model = $2 AND g.closed_at IS NULL", 2, {"integer", "text"}};
// The newest that have codes.
Statement find_epochs = {
    VISAGE_EPOCH
    "WHERE g.institution = $1 AND g.model = $2 "
    "AND EXISTS (SELECT FROM visage.gallery_code c WHERE c.gallery = g.id) ORDER BY g.epoch DESC "
    "LIMIT $3",
    3,
    {"integer", "text", "integer"}};
// Closed meanwhile: then there is no code, rather than one that nobody expects.
Statement put_code = {
    "INSERT INTO visage.gallery_code AS c (reference, subject, gallery, generation, code) "
    "SELECT $1, $2, g.id, $4, $5 FROM visage.gallery g WHERE g.id = $3 AND g.closed_at IS NULL "
    "ON CONFLICT (reference) DO UPDATE SET gallery = EXCLUDED.gallery, generation = EXCLUDED.generation, "
    "code = EXCLUDED.code",
    5,
    {"uuid", "uuid", "integer", "integer", "bytea"}};
Statement drop_code = {"DELETE FROM visage.gallery_code c WHERE c.reference = $1 AND c.generation <> $2",
                       2,
                       {"uuid", "integer"}};

struct GalleryKey {
  int32 institution;
  char model[probe::kMaxModelLength + 1];
};
Kept<GalleryKey, Gallery, 8> galleries;

void read_gallery(const GalleryKey& key, Gallery& out) {
  memset(static_cast<void*>(&out), 0, sizeof out);
  const Datum arguments[] = {Int32GetDatum(key.institution), CStringGetTextDatum(key.model)};
  if (execute(find_open, arguments, nullptr, true) == 1) read_epoch(0, key.institution, key.model, out);
  SPI_freetuptable(SPI_tuptable);
}

}  // namespace

void read_epoch(uint64 row, int32 institution, std::string_view model, Gallery& out) {
  bool is_null;
  gallery::Epoch& epoch = out.epoch;
  out.id = DatumGetInt32(column(row, 1, &is_null));
  epoch.number = static_cast<uint32_t>(DatumGetInt32(column(row, 2, &is_null)));
  epoch.dimension = static_cast<uint16_t>(DatumGetInt32(column(row, 3, &is_null)));
  epoch.suite = static_cast<crypto::Suite>(DatumGetInt16(column(row, 4, &is_null)));
  epoch.transform_version = static_cast<uint32_t>(DatumGetInt64(column(row, 5, &is_null)));
  epoch.institution = static_cast<uint32_t>(institution);
  uint8_t digest[crypto::kDigestSize];
  crypto::sha256(as_bytes(model), digest);
  memcpy(epoch.model_digest, digest, sizeof epoch.model_digest);
  const Bytes salt = column_bytes(row, 6);
  if (salt.size() != sizeof epoch.salt || !crypto::known_suite(static_cast<uint8_t>(epoch.suite)))
    elog(ERROR, "a row of visage.gallery is not one of ours");
  memcpy(epoch.salt, salt.data(), sizeof epoch.salt);
  out.open = true;
}

void find_gallery(int32 institution, const probe::Contents& probe, Gallery& out) {
  GalleryKey key;
  memset(static_cast<void*>(&key), 0, sizeof key);
  key.institution = institution;
  strlcpy(key.model, probe.model, sizeof key.model);
  const uint64 generation = policy_generation();
  const Gallery* found = galleries.find(key, generation);
  if (found != nullptr) {
    out = *found;
  } else {
    begin_newest();
    read_gallery(key, out);
    end_newest();
    galleries.keep(key, out, generation);
  }
  // A feature of another length is none of the model's that the gallery was opened for.
  out.open = out.open && gallery::encodes(out.epoch, probe);
}

Status encode(const Gallery& gallery, const keys::SubjectKey& subject_key, const probe::Contents& probe,
              const reference::Header& of, MutableBytes out) {
  Secret<gallery::EpochMasks> masks;
  VISAGE_TRY(gallery::derive_masks(engine(), key_ring(), gallery.epoch, masks.value));
  Secret<gallery::SignCode> code;
  VISAGE_TRY(gallery::make_code(gallery.epoch, masks.value, probe, code.value));
  return gallery::seal_code(engine(), key_ring(), subject_key, settings::suite(), gallery.epoch, masks.value,
                            {of.owner, of.reference, of.generation}, code.value, out);
}

void store_code(int32 gallery, const reference::Header& of, struct varlena* sealed) {
  const int32 generation = static_cast<int32>(of.generation);
  // Whatever happens to the new one, a code of the capture before is not this reference's.
  const Datum old[] = {uuid_datum(of.reference), Int32GetDatum(generation)};
  if (of.generation > 1) execute(drop_code, old, nullptr, false);
  if (sealed == nullptr) return;
  const Datum values[] = {uuid_datum(of.reference), uuid_datum(of.owner.subject), Int32GetDatum(gallery),
                          Int32GetDatum(generation), PointerGetDatum(sealed)};
  execute(put_code, values, nullptr, false);
}

ProbeCodes* make_probe_codes(int32 institution, const probe::Contents& probe, double threshold,
                             size_t code_bits) {
  const keys::KeyRing& ring = key_ring();
  auto* const codes = allocate_wiped<ProbeCodes>(CurrentMemoryContext);
  codes->bound = gallery::distance_bound(threshold, code_bits, kMiss);
  const Datum arguments[] = {Int32GetDatum(institution), CStringGetTextDatum(probe.model),
                             Int32GetDatum(kMaxEpochs)};
  const uint64 rows = execute(find_epochs, arguments, nullptr, true);
  for (uint64 i = 0; i < rows; ++i) {
    Gallery gallery = {};
    read_epoch(i, institution, probe.model, gallery);
    ProbeCodes::Each& each = codes->each[codes->count];
    each.gallery = gallery;
    // Without its root, or with a feature of another length, none of its codes is looked at.
    const Status status = guarded([&]() -> Status {
      VISAGE_TRY(gallery::derive_masks(engine(), ring, gallery.epoch, each.masks));
      return gallery::make_code(gallery.epoch, each.masks, probe, each.code);
    });
    if (status.ok()) ++codes->count;
  }
  SPI_freetuptable(SPI_tuptable);
  return codes;
}

bool is_far(const ProbeCodes& codes, const StoredCode& stored, const keys::SubjectKey& subject_key,
            const gallery::CodeOwner& of) {
  const auto* const end = codes.each + codes.count;
  const auto* const each = std::find_if(
      codes.each, end, [&](const ProbeCodes::Each& e) { return e.gallery.id == stored.gallery; });
  if (each == end) return false;
  Secret<gallery::SignCode> code;
  if (!gallery::open_code(engine(), key_ring(), subject_key, each->gallery.epoch, each->masks, of,
                          stored.sealed, code.value)
           .ok())
    return false;
  return settings::kernels().hamming(code.value.view().data(), each->code.view().data(),
                                     sizeof(gallery::SignCode)) > codes.bound;
}

// new_epoch() → (suite, transform_version, salt)
VISAGE_FUNCTION(visage_new_epoch) {
  TupleDesc descriptor;
  if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
    elog(ERROR, "return type must be a row type");
  const keys::KeyRing& ring = key_ring();
  gallery::Epoch epoch = {};
  epoch.suite = settings::suite();
  raise_unless_ok(guarded([&] { return gallery::begin_epoch(engine(), ring, epoch); }),
                  "cannot open a gallery");
  auto* salt = static_cast<struct varlena*>(palloc(VARHDRSZ + sizeof epoch.salt));
  SET_VARSIZE(salt, VARHDRSZ + sizeof epoch.salt);
  memcpy(VARDATA(salt), epoch.salt, sizeof epoch.salt);
  Datum values[] = {Int16GetDatum(static_cast<int16>(epoch.suite)), Int64GetDatum(epoch.transform_version),
                    PointerGetDatum(salt)};
  bool nulls[lengthof(values)] = {};
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}

// open_code(institution, model, epoch, dimension, suite, transform_version, salt, subject, wrapped,
// reference, generation, code) → why it does not open, or null
VISAGE_FUNCTION(visage_open_code) {
  const keys::KeyRing& ring = key_ring();
  const text* model = PG_GETARG_TEXT_PP(1);
  const Bytes salt = envelope_bytes(PG_GETARG_VARLENA_PP(6));
  const Bytes wrapped = envelope_bytes(PG_GETARG_VARLENA_PP(8));
  const Bytes sealed = envelope_bytes(PG_GETARG_VARLENA_PP(11));
  gallery::Epoch epoch = {};
  epoch.institution = static_cast<uint32_t>(PG_GETARG_INT32(0));
  epoch.number = static_cast<uint32_t>(PG_GETARG_INT32(2));
  epoch.dimension = static_cast<uint16_t>(PG_GETARG_INT32(3));
  epoch.suite = static_cast<crypto::Suite>(PG_GETARG_INT16(4));
  epoch.transform_version = static_cast<uint32_t>(PG_GETARG_INT64(5));
  gallery::CodeOwner of = {{epoch.institution, {}}, {}, static_cast<uint32_t>(PG_GETARG_INT32(10))};
  memcpy(of.owner.subject.bytes, PG_GETARG_UUID_P(7)->data, sizeof of.owner.subject.bytes);
  memcpy(of.reference.bytes, PG_GETARG_UUID_P(9)->data, sizeof of.reference.bytes);
  const Status status = guarded([&]() -> Status {
    if (salt.size() != sizeof epoch.salt || !crypto::known_suite(static_cast<uint8_t>(epoch.suite)))
      return Status::error(Code::kMalformed, "its gallery has a row that is not one of ours");
    memcpy(epoch.salt, salt.data(), sizeof epoch.salt);
    uint8_t digest[crypto::kDigestSize];
    crypto::sha256({reinterpret_cast<const uint8_t*>(VARDATA_ANY(model)), VARSIZE_ANY_EXHDR(model)}, digest);
    memcpy(epoch.model_digest, digest, sizeof epoch.model_digest);
    Secret<keys::SubjectKey> key;
    VISAGE_TRY(keys::unwrap_subject_key(engine(), ring, of.owner, wrapped, key.value));
    Secret<gallery::EpochMasks> masks;
    VISAGE_TRY(gallery::derive_masks(engine(), ring, epoch, masks.value));
    Secret<gallery::SignCode> code;
    return gallery::open_code(engine(), ring, key.value, epoch, masks.value, of, sealed, code.value);
  });
  if (status.ok()) PG_RETURN_NULL();
  PG_RETURN_DATUM(CStringGetTextDatum(status.message));
}

}  // namespace visage::pg
