// Rows into the ledger's tables past their triggers, which refuse everybody else's.
#pragma once

#include "pg/pg.h"

namespace visage::pg {

// Inserts `count` rows into a table of schema visage and into its indexes; `values` and `nulls` are row after
// row. For the audit writer, in a transaction with a snapshot. Constraints other than unique indexes are not
// looked at: the caller's code is what keeps them.
void append_rows(const char* table, int columns, const Datum* values, const bool* nulls, int count);

}  // namespace visage::pg
