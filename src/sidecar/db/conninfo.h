// What can be said about a connection string before it is used.
#pragma once

#include <string>

#include "core/base/status.h"

namespace visage::sidecar::db {

// Refuses what libpq cannot parse, and passwords: a command line is public and a configuration file often is.
// The message does not repeat the string.
Status check_conninfo(const std::string& conninfo);

}  // namespace visage::sidecar::db
