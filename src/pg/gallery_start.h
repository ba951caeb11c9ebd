// Galleries in memory, as the server starts.
#pragma once

#include "pg/pg.h"

namespace visage::pg {

// In the postmaster, before it forks: the range that the codes are in.
void gallery_memory_reserve();
Size gallery_shared_size();
void gallery_shared_startup();
void gallery_worker_register();

}  // namespace visage::pg
