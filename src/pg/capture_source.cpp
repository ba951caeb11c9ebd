// Capture sources: who may seal probes, and sealing on behalf of a backend that brings its own SDK.
#include "core/keys/subject_key.h"
#include "pg/boundary.h"
#include "pg/clock.h"
#include "pg/envelope_io.h"
#include "pg/keys.h"
#include "pg/policy.h"
#include "pg/secret_memory.h"
#include "pg/settings.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

constexpr int kMaxNameLength = 63;

Statement insert_source = {
    "INSERT INTO visage.capture_source (id, institution, name, suite, key_version, generation, created_by) "
    "VALUES ($1, $2, $3, $4, $5, 1, $6::name) ON CONFLICT (institution, name) DO NOTHING",
    6,
    {"uuid", "integer", "text", "smallint", "bigint", "text"}};

Statement source_by_name = {
    "SELECT id, suite, key_version, generation FROM visage.capture_source "
    "WHERE institution = $1 AND name = $2 AND disabled_at IS NULL",
    2,
    {"integer", "text"}};

Statement measure_ids = {"SELECT name, id FROM visage.measure", 0, {}};

text* source_key_text(crypto::Suite suite, uint32_t key_version, uint32_t institution, const Uuid& source,
                      uint32_t generation) {
  const keys::KeyRing& ring = key_ring();
  char buffer[probe::kMaxSourceKeyText];
  const Status status = guarded([&] {
    Secret<probe::SourceKey> key;
    VISAGE_TRY(keys::derive_source_key(engine(), ring, suite, key_version, institution, source, generation,
                                       key.value));
    return probe::encode_source_key(key.value, buffer, sizeof buffer);
  });
  raise_unless_ok(status, "cannot derive the source's key");
  text* result = cstring_to_text(buffer);
  wipe(buffer, sizeof buffer);
  return result;
}

// Errors about an unknown source quote its name, so its length is checked first.
text* source_name(FunctionCallInfo fcinfo, int index) {
  text* name = PG_GETARG_TEXT_PP(index);
  if (VARSIZE_ANY_EXHDR(name) == 0 || VARSIZE_ANY_EXHDR(name) > kMaxNameLength)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("a capture source's name has 1 to %d bytes", kMaxNameLength)));
  return name;
}

// Adds {"InterEyeDistance": 82.0, …} to the contents. Names are those of visage.measure.
void add_quality(Jsonb* quality, probe::Contents& contents) {
  if (!JB_ROOT_IS_OBJECT(quality))
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("quality must be a JSON object"),
                    errhint("For example: {\"InterEyeDistance\": 82, \"ImageWidth\": 640}")));
  const uint64 measures = execute(measure_ids, nullptr, nullptr, true);
  JsonbIterator* iterator = JsonbIteratorInit(&quality->root);
  JsonbValue key, value;
  while (true) {
    JsonbIteratorToken token = JsonbIteratorNext(&iterator, &key, true);
    if (token == WJB_DONE) break;
    if (token != WJB_KEY) continue;
    JsonbIteratorNext(&iterator, &value, true);
    if (key.val.string.len > kMaxNameLength)
      ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                      errmsg("a quality measure's name has at most %d bytes", kMaxNameLength)));
    char* name = pnstrdup(key.val.string.val, key.val.string.len);
    if (value.type != jbvNumeric)
      ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                      errmsg("quality measure \"%s\" must be a number", name)));
    uint64 row = 0;
    while (row < measures && strcmp(column_text(row, 1), name) != 0) ++row;
    if (row == measures)
      ereport(ERROR,
              (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown quality measure \"%s\"", name),
               errhint("SELECT name FROM visage.measure lists them.")));
    bool is_null;
    const float native =
        DatumGetFloat4(DirectFunctionCall1(numeric_float4, NumericGetDatum(value.val.numeric)));
    if (contents.quality_count == probe::kMaxQuality)
      ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                      errmsg("more than %zu quality measures", probe::kMaxQuality)));
    contents.quality[contents.quality_count++] = {
        static_cast<probe::Measure>(DatumGetInt16(column(row, 2, &is_null))), probe::kScalarUndetermined,
        native};
  }
  SPI_freetuptable(SPI_tuptable);
}

void copy_bytes(const bytea* value, const char* name, MutableBytes out) {
  if (static_cast<size_t>(VARSIZE_ANY_EXHDR(value)) != out.size())
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must have %zu bytes", name, out.size())));
  memcpy(out.data(), VARDATA_ANY(value), out.size());
}

void set_feature_from_array(ArrayType* array, probe::Contents& contents) {
  if (ARR_NDIM(array) != 1 || array_contains_nulls(array))
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("feature must be a one-dimensional array without nulls"), errhidestmt(true)));
  const auto* values = reinterpret_cast<const float*>(ARR_DATA_PTR(array));
  const auto count = static_cast<size_t>(ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)));
  raise_unless_ok(guarded([&] {
                    return probe::set_feature({values, count}, contents);
                  }),
                  "cannot seal the probe");
}

}  // namespace

// add_capture_source(name) → the source's key, shown once and stored nowhere.
VISAGE_FUNCTION(visage_add_capture_source) {
  require_argument(fcinfo, 0, "name");
  text* name = source_name(fcinfo, 0);
  const keys::KeyRing& ring = key_ring();
  const uint32_t key_version = ring.envelope.newest()->version;
  const crypto::Suite suite = settings::suite();
  Uuid source;
  raise_unless_ok(guarded([&] { return engine().random_uuid(source); }), "cannot make an identifier");

  SPI_connect();
  const int32 institution = acting_institution();
  const Datum arguments[] = {
      uuid_datum(source),         Int32GetDatum(institution),
      PointerGetDatum(name),      Int16GetDatum(static_cast<int16>(suite)),
      Int64GetDatum(key_version), CStringGetTextDatum(GetUserNameFromId(GetOuterUserId(), false))};
  if (execute(insert_source, arguments, nullptr, false) != 1)
    ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
                    errmsg("capture source \"%s\" already exists", text_to_cstring(name)),
                    errhint("Choose another name; a lost key cannot be shown again.")));
  SPI_finish();
  PG_RETURN_TEXT_P(source_key_text(suite, key_version, static_cast<uint32_t>(institution), source, 1));
}

// seal_probe(feature, model, liveness, source, quality, image_digest, session_nonce, captured_at, lifetime)
VISAGE_FUNCTION(visage_seal_probe) {
  require_argument(fcinfo, 0, "feature");
  require_argument(fcinfo, 1, "model");
  require_argument(fcinfo, 3, "source");
  require_argument(fcinfo, 7, "captured_at");
  require_argument(fcinfo, 8, "lifetime");
  text* name = source_name(fcinfo, 3);
  const keys::KeyRing& ring = key_ring();
  probe::Contents* contents = allocate_contents(CurrentMemoryContext);
  contents->liveness_count = contents->quality_count = 0;
  memset(contents->image_digest, 0, sizeof contents->image_digest);
  set_feature_from_array(PG_GETARG_ARRAYTYPE_P(0), *contents);
  text* model = PG_GETARG_TEXT_PP(1);
  raise_unless_ok(guarded([&] {
                    return probe::set_model(
                        {VARDATA_ANY(model), static_cast<size_t>(VARSIZE_ANY_EXHDR(model))}, *contents);
                  }),
                  "cannot seal the probe");
  if (!PG_ARGISNULL(2)) {
    const float liveness = PG_GETARG_FLOAT4(2);
    if (!(liveness >= 0 && liveness <= 1))
      ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("liveness must be from 0 to 1")));
    contents->liveness[contents->liveness_count++] = {probe::LivenessMethod::kDeclared, liveness};
  }
  if (!PG_ARGISNULL(5)) copy_bytes(PG_GETARG_BYTEA_PP(5), "image_digest", contents->image_digest);

  probe::Header header = {};
  if (!PG_ARGISNULL(6)) copy_bytes(PG_GETARG_BYTEA_PP(6), "session_nonce", header.session_nonce);
  const TimestampTz captured_at = PG_GETARG_TIMESTAMPTZ(7);
  const TimestampTz expires_at = DatumGetTimestampTz(
      DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(captured_at), PG_GETARG_DATUM(8)));
  header.captured_at = to_unix(captured_at);
  header.expires_at = to_unix(expires_at);
  if (TIMESTAMP_NOT_FINITE(captured_at) || header.captured_at < 0 || header.expires_at <= header.captured_at)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("captured_at must be a time after 1970 and lifetime positive")));

  SPI_connect();
  if (!PG_ARGISNULL(4)) add_quality(PG_GETARG_JSONB_P(4), *contents);
  const int32 institution = acting_institution();
  const Datum arguments[] = {Int32GetDatum(institution), PointerGetDatum(name)};
  if (execute(source_by_name, arguments, nullptr, true) != 1)
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                    errmsg("capture source \"%s\" does not exist or is disabled", text_to_cstring(name)),
                    errhint("SELECT visage.add_capture_source('%s') makes it.", text_to_cstring(name))));
  bool is_null;
  const Uuid source = column_uuid(0, 1);
  const auto suite = static_cast<crypto::Suite>(DatumGetInt16(column(0, 2, &is_null)));
  const auto key_version = static_cast<uint32_t>(DatumGetInt64(column(0, 3, &is_null)));
  const auto generation = static_cast<uint32_t>(DatumGetInt32(column(0, 4, &is_null)));
  SPI_finish();

  struct varlena* sealed = new_envelope(probe::sealed_size(suite, *contents));
  const Status status = guarded([&] {
    Secret<probe::SourceKey> key;
    VISAGE_TRY(keys::derive_source_key(engine(), ring, suite, key_version, static_cast<uint32_t>(institution),
                                       source, generation, key.value));
    return probe::seal(engine(), key.value, header, *contents, envelope_span(sealed));
  });
  raise_unless_ok(status, "cannot seal the probe");
  release_contents(contents);
  PG_RETURN_POINTER(sealed);
}

}  // namespace visage::pg
