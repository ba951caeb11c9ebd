// What of the ledger may be shown: it must not be lost again, neither by a crash here nor by a failover.
#pragma once

#include "pg/pg.h"

namespace visage::pg {

// Do commits wait for synchronous standbys, by the settings of this process?
bool waits_for_standbys();

// Makes durable here what the ledger shows; returns up to where in the log, 0 on a standby.
XLogRecPtr flush_ledger();

// … and waits for the standbys that commits wait for. Raises when the wait is cut short: then a standby that
// is promoted may not know what was shown.
void replicate_ledger();

}  // namespace visage::pg
