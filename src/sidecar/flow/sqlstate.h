// The one table from SQLSTATE to the answer a caller gets.
#pragma once

#include "sidecar/db/error.h"
#include "sidecar/http/problem.h"

namespace visage::sidecar {

// The server's message goes to the caller only for mistakes that the caller can mend (class 22 and our own
// checks); everything else is for the log.
http::Problem database_problem(const db::Error& error);

}  // namespace visage::sidecar
