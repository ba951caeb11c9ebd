// Opening probes on behalf of a flow.
#pragma once

#include "core/probe/probe.h"
#include "pg/pg.h"

namespace visage::pg {

enum class ProbeState { kOpened, kUnknownSource };

// Opens a sealed probe under its source's key; for use inside SPI. `institution` is the caller's. Says
// kUnknownSource when the source is not registered, disabled, of another institution or sealed under a
// superseded key. Raises when the envelope does not open. Checks no time and consumes nothing.
ProbeState open_probe(const struct varlena* value, int32 institution, probe::Header& header,
                      probe::Contents& contents);

}  // namespace visage::pg
