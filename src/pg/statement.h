// SQL statements of the C++ side: prepared once a backend, run through SPI.
//
// Every name in them is schema-qualified, and they run under a search_path of their own whatever the caller's
// is: operators and casts would otherwise resolve in the caller's schemas.
#pragma once

#include "core/base/bytes.h"
#include "pg/pg.h"

namespace visage::pg {

inline constexpr int kMaxParameters = 20;

struct Statement {
  const char* sql;
  int parameter_count;
  const char* parameter_types[kMaxParameters];  // as format_type prints them
  SPIPlanPtr plan = nullptr;
};

// Runs inside SPI_connect … SPI_finish. Returns the number of rows; they are in SPI_tuptable.
uint64 execute(Statement& statement, const Datum* values, const char* nulls, bool read_only);

// For results that need not fit in memory: SPI_cursor_fetch gives some rows at a time. Read-only.
Portal open_cursor(Statement& statement, const Datum* values);

// Columns of row `row` of SPI_tuptable, numbered from 1.
Datum column(uint64 row, int number, bool* is_null);
bool column_is_null(uint64 row, int number);
Uuid column_uuid(uint64 row, int number);
// A varlena column as bytes, detoasted; they live as long as the SPI connection.
Bytes column_bytes(uint64 row, int number);
char* column_text(uint64 row, int number);

inline Datum uuid_datum(const Uuid& uuid) {
  return PointerGetDatum(&uuid);
}

}  // namespace visage::pg
