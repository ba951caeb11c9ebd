#include "core/probe/capture_record.h"

#include "pg/boundary.h"
#include "pg/pg.h"

namespace visage::pg {
namespace {

const char* label(probe::Reached reached) {
  switch (reached) {
    case probe::Reached::kNoFloor:
      return "no floor";
    case probe::Reached::kReached:
      return "reached";
    case probe::Reached::kShort:
      return "short";
    case probe::Reached::kMissing:
      return "missing";
  }
  return "unknown";
}

}  // namespace

// capture_states(record) → (kind text, id smallint, state text, value real): a row a method and a measure,
// and one for the reason. Value is null where the record holds none.
VISAGE_FUNCTION(visage_capture_states) {
  const struct varlena* bytes = PG_GETARG_BYTEA_PP(0);
  probe::CaptureRecord record;
  raise_unless_ok(guarded([&] {
                    return probe::decode_capture(
                        {reinterpret_cast<const uint8_t*>(VARDATA_ANY(bytes)), VARSIZE_ANY_EXHDR(bytes)},
                        record);
                  }),
                  "cannot read the capture record");
  InitMaterializedSRF(fcinfo, 0);
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  const auto put = [&](const char* kind, uint8_t id, const char* state, bool has_value, float value) {
    Datum values[] = {CStringGetTextDatum(kind), Int16GetDatum(id),
                      state != nullptr ? CStringGetTextDatum(state) : 0, Float4GetDatum(value)};
    bool nulls[] = {false, false, state == nullptr, !has_value};
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  };
  const auto put_entry = [&](const char* kind, const probe::CaptureEntry& entry) {
    put(kind, entry.id, label(entry.reached), record.has_values && entry.reached != probe::Reached::kMissing,
        entry.value);
  };
  if (record.liveness_reason != probe::kNoLivenessReason)
    put("reason", record.liveness_reason, nullptr, false, 0);
  for (int i = 0; i < record.method_count; ++i) put_entry("liveness", record.methods[i]);
  for (int i = 0; i < record.measure_count; ++i) put_entry("quality", record.measures[i]);
  return static_cast<Datum>(0);
}

}  // namespace visage::pg
