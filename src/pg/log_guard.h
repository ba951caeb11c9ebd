// Keeps features out of the server log.
//
// visage.seal_probe takes a feature as an argument. A caller that passes it as a literal, or a server that
// logs parameters, would write it into the log with the statement. This hook removes statement text and
// parameters from every message that is logged while such a statement runs.
#pragma once

namespace visage::pg {

void log_guard_init();

}  // namespace visage::pg
