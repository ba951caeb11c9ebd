// Keeps features out of the server log.
//
// visage.seal_probe takes a feature as an argument. A caller that passes it as a literal, or a server that
// logs parameters, would write it into the log with the statement. This hook removes statement text and
// parameters from every message about a statement that names seal_probe, and long lists of fractional numbers
// from every message: a feature may come through EXECUTE or a function of another name. It cannot reach
// pg_stat_statements or pg_stat_activity; docs/operations.md says what that asks of callers.
#pragma once

namespace visage::pg {

void log_guard_init();

}  // namespace visage::pg
