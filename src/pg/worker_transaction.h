// A background worker's own transaction, in which statements can run.
#pragma once

namespace visage::pg {

void begin_worker_transaction();
// Waits for disk and synchronous standbys as any commit does.
void end_worker_transaction();

}  // namespace visage::pg
