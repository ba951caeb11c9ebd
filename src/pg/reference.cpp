// Type visage.reference.
#include "core/reference/reference.h"

#include "pg/boundary.h"
#include "pg/envelope_io.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

const EnvelopeType kType = {"visage.reference", reference::kMaxSize, [](Bytes envelope) {
                              reference::Header header;
                              return reference::parse(envelope, header);
                            }};

}  // namespace

VISAGE_FUNCTION(visage_reference_in) {
  return envelope_in(kType, PG_GETARG_CSTRING(0));
}
VISAGE_FUNCTION(visage_reference_out) {
  PG_RETURN_CSTRING(envelope_out(PG_GETARG_VARLENA_PP(0)));
}
VISAGE_FUNCTION(visage_reference_recv) {
  return envelope_recv(kType, reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0)));
}
VISAGE_FUNCTION(visage_reference_send) {
  PG_RETURN_BYTEA_P(envelope_send(PG_GETARG_VARLENA_PP(0)));
}

// reference_info(reference): the authenticated header, as far as it can be read without a key.
VISAGE_FUNCTION(visage_reference_info) {
  const struct varlena* value = PG_GETARG_VARLENA_PP(0);
  TupleDesc descriptor;
  if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
    elog(ERROR, "return type must be a row type");
  reference::Header header;
  raise_unless_ok(guarded([&] { return reference::parse(envelope_bytes(value), header); }),
                  "visage.reference");
  const crypto::Suite suite = header.suite;
  Datum values[] = {uuid_datum(header.reference),
                    uuid_datum(header.owner.subject),
                    Int32GetDatum(static_cast<int32>(header.owner.institution)),
                    CStringGetTextDatum("RFR-1"),
                    CStringGetTextDatum(crypto::suite_name(suite).data()),
                    Int32GetDatum(header.code_bits),
                    Int32GetDatum(header.dimension),
                    Int32GetDatum(static_cast<int32>(header.generation)),
                    Int64GetDatum(header.key_version),
                    Int64GetDatum(header.transform_version)};
  bool nulls[lengthof(values)] = {};
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}

}  // namespace visage::pg
