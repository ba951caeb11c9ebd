// The audit writer's process.
#pragma once

namespace visage::pg {

// Has the postmaster start the writer; while the server starts.
void audit_writer_register();

}  // namespace visage::pg
