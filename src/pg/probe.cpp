// Type visage.probe and the opening of probes.
#include "pg/probe.h"

#include "core/keys/subject_key.h"
#include "pg/boundary.h"
#include "pg/clock.h"
#include "pg/envelope_io.h"
#include "pg/keys.h"
#include "pg/policy_generation.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

const EnvelopeType kType = {"visage.probe", probe::kMaxSize, [](Bytes envelope) {
                              probe::Header header;
                              return probe::parse(envelope, header);
                            }};

Statement find_source = {
    "SELECT suite, key_version, generation FROM visage.capture_source "
    "WHERE id = $1 AND institution = $2 AND disabled_at IS NULL",
    2,
    {"uuid", "integer"}};

struct SourceKey {
  Uuid source;
  int32 institution;
};
struct Source {
  bool admitted;
  crypto::Suite suite;
  uint32_t key_version;
  uint32_t generation;
};
Kept<SourceKey, Source, 16> sources;

Source read_source(const Uuid& id, int32 institution) {
  const Datum arguments[] = {uuid_datum(id), Int32GetDatum(institution)};
  Source source = {};
  begin_newest();
  if (execute(find_source, arguments, nullptr, true) == 1) {
    bool is_null;
    source = {true, static_cast<crypto::Suite>(DatumGetInt16(column(0, 1, &is_null))),
              static_cast<uint32_t>(DatumGetInt64(column(0, 2, &is_null))),
              static_cast<uint32_t>(DatumGetInt32(column(0, 3, &is_null)))};
  }
  SPI_freetuptable(SPI_tuptable);
  end_newest();
  return source;
}

Source find(const Uuid& id, int32 institution) {
  const SourceKey key = {id, institution};
  const uint64 generation = policy_generation();
  if (const Source* found = sources.find(key, generation)) return *found;
  const Source source = read_source(id, institution);
  sources.keep(key, source, generation);
  return source;
}

}  // namespace

VISAGE_FUNCTION(visage_probe_in) {
  return envelope_in(kType, PG_GETARG_CSTRING(0));
}
VISAGE_FUNCTION(visage_probe_out) {
  PG_RETURN_CSTRING(envelope_out(PG_GETARG_VARLENA_PP(0)));
}
VISAGE_FUNCTION(visage_probe_recv) {
  return envelope_recv(kType, reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0)));
}
VISAGE_FUNCTION(visage_probe_send) {
  PG_RETURN_BYTEA_P(envelope_send(PG_GETARG_VARLENA_PP(0)));
}

// probe_info(probe): the authenticated header, as far as it can be read without a key.
VISAGE_FUNCTION(visage_probe_info) {
  const struct varlena* value = PG_GETARG_VARLENA_PP(0);
  TupleDesc descriptor;
  if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
    elog(ERROR, "return type must be a row type");
  probe::Header header;
  raise_unless_ok(guarded([&] { return probe::parse(envelope_bytes(value), header); }), "visage.probe");
  Datum values[] = {uuid_datum(header.probe),
                    uuid_datum(header.source),
                    Int32GetDatum(static_cast<int32>(header.institution)),
                    CStringGetTextDatum(crypto::suite_name(header.suite).data()),
                    Int64GetDatum(header.key_version),
                    TimestampTzGetDatum(from_unix(header.captured_at)),
                    TimestampTzGetDatum(from_unix(header.expires_at))};
  bool nulls[lengthof(values)] = {};
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}

ProbeState open_probe(const struct varlena* value, int32 institution, probe::Header& header,
                      probe::Contents& contents) {
  const keys::KeyRing& ring = key_ring();
  raise_unless_ok(guarded([&] { return probe::parse(envelope_bytes(value), header); }), "visage.probe");
  if (header.institution != static_cast<uint32_t>(institution)) return ProbeState::kUnknownSource;
  const Source source = find(header.source, institution);
  if (!source.admitted || source.suite != header.suite || source.key_version != header.key_version ||
      source.generation != header.source_generation)
    return ProbeState::kUnknownSource;

  const Status status = guarded([&] {
    Secret<probe::SourceKey> key;
    VISAGE_TRY(keys::derive_source_key(engine(), ring, source.suite, source.key_version, header.institution,
                                       header.source, source.generation, key.value));
    return probe::open(engine(), {key.value.key, probe::kSourceKeySize}, envelope_bytes(value), header,
                       contents);
  });
  raise_unless_ok(status, "cannot open the probe");
  return ProbeState::kOpened;
}

}  // namespace visage::pg
