#include "pg/audit.h"

#include "pg/statement.h"

namespace visage::pg {
namespace {

Statement insert_event = {
    "INSERT INTO visage.event (transaction_id, operation, institution, subject, channel, scenario, decision, "
    "reason, "
    "target_fmr, model, policy_version, source, probe, reference, biz_id, elapsed_us, caller) VALUES "
    "($1, $2::visage.operation, $3, $4, $5, $6, $7::visage.decision, $8::visage.reason, $9, $10, $11, $12, "
    "$13, $14, "
    "$15, $16, $17) RETURNING seq",
    17,
    {"uuid", "text", "integer", "uuid", "text", "text", "text", "text", "double precision", "text", "integer",
     "uuid", "uuid", "uuid", "text", "bigint", "text"}};

Datum text_or_zero(const char* value) {
  return value != nullptr ? CStringGetTextDatum(value) : 0;
}
Datum uuid_or_zero(const Uuid* value) {
  return value != nullptr ? uuid_datum(*value) : 0;
}

}  // namespace

int64 record_event(const Event& event) {
  const Datum arguments[] = {uuid_datum(event.transaction),
                             CStringGetTextDatum(event.operation),
                             Int32GetDatum(event.institution),
                             uuid_or_zero(event.subject),
                             PointerGetDatum(event.channel),
                             PointerGetDatum(event.scenario),
                             CStringGetTextDatum(event.decision),
                             CStringGetTextDatum(event.reason),
                             Float8GetDatum(event.target_fmr),
                             text_or_zero(event.model),
                             Int32GetDatum(event.policy_version),
                             uuid_or_zero(event.source),
                             uuid_or_zero(event.probe),
                             uuid_or_zero(event.reference),
                             text_or_zero(event.business_id),
                             Int64GetDatum(event.elapsed_us),
                             CStringGetTextDatum(GetUserNameFromId(GetOuterUserId(), false))};
  char nulls[lengthof(arguments) + 1];
  memset(nulls, ' ', sizeof nulls);
  for (const int nullable : {3, 9, 11, 12, 13, 14})
    if (arguments[nullable] == 0) nulls[nullable] = 'n';
  execute(insert_event, arguments, nulls, false);
  bool is_null;
  const int64 seq = DatumGetInt64(column(0, 1, &is_null));
  SPI_freetuptable(SPI_tuptable);
  return seq;
}

}  // namespace visage::pg
