#include "pg/statement.h"

extern "C" {
#include "catalog/namespace.h"
}

namespace visage::pg {

namespace {

// pg_temp last and named: unnamed, it would come first.
constexpr char kSearchPath[] = "pg_catalog, pg_temp";
constexpr int kNotSet = -1;

// Functions that are SECURITY DEFINER have set it. An error puts it back by itself.
int begin_search_path() {
  if (strcmp(namespace_search_path, kSearchPath) == 0) return kNotSet;
  const int level = NewGUCNestLevel();
  (void)set_config_option("search_path", kSearchPath, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                          false);
  return level;
}

void end_search_path(int level) {
  if (level != kNotSet) AtEOXact_GUC(true, level);
}

SPIPlanPtr plan_of(Statement& statement) {
  if (statement.plan == nullptr) {
    Oid types[kMaxParameters];
    for (int i = 0; i < statement.parameter_count; ++i)
      types[i] =
          DatumGetObjectId(DirectFunctionCall1(regtypein, CStringGetDatum(statement.parameter_types[i])));
    SPIPlanPtr plan = SPI_prepare(statement.sql, statement.parameter_count, types);
    if (plan == nullptr || SPI_keepplan(plan) != 0)
      elog(ERROR, "could not prepare an internal statement: %s", SPI_result_code_string(SPI_result));
    statement.plan = plan;
  }
  return statement.plan;
}

}  // namespace

uint64 execute(Statement& statement, const Datum* values, const char* nulls, bool read_only) {
  const int path = begin_search_path();
  const int code = SPI_execute_plan(plan_of(statement), const_cast<Datum*>(values), nulls, read_only, 0);
  end_search_path(path);
  if (code < 0) elog(ERROR, "an internal statement failed: %s", SPI_result_code_string(code));
  return SPI_processed;
}

Portal open_cursor(Statement& statement, const Datum* values) {
  const int path = begin_search_path();
  Portal cursor = SPI_cursor_open(nullptr, plan_of(statement), const_cast<Datum*>(values), nullptr, true);
  end_search_path(path);
  if (cursor == nullptr) elog(ERROR, "an internal cursor failed: %s", SPI_result_code_string(SPI_result));
  return cursor;
}

Datum column(uint64 row, int number, bool* is_null) {
  return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number, is_null);
}

bool column_is_null(uint64 row, int number) {
  bool is_null;
  column(row, number, &is_null);
  return is_null;
}

Uuid column_uuid(uint64 row, int number) {
  bool is_null;
  Uuid value;
  memcpy(value.bytes, DatumGetUUIDP(column(row, number, &is_null))->data, sizeof value.bytes);
  return value;
}

Bytes column_bytes(uint64 row, int number) {
  bool is_null;
  const struct varlena* value = PG_DETOAST_DATUM_PACKED(column(row, number, &is_null));
  return {reinterpret_cast<const uint8_t*>(VARDATA_ANY(value)),
          static_cast<size_t>(VARSIZE_ANY_EXHDR(value))};
}

char* column_text(uint64 row, int number) {
  return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number);
}

}  // namespace visage::pg
