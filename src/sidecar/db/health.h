// Whether the database can serve the flows now, and if not, what is missing.
#pragma once

#include <string>

#include "sidecar/db/pool.h"

namespace visage::sidecar::db {

// Empty when all is well, else one sentence for the operator.
std::string database_fault(Pool& pool);

}  // namespace visage::sidecar::db
