// The keeper: a background worker on visage.database that erases on time and re-wraps after a new root.
//
// What is due and how it is done are functions in SQL (82_retention.sql); the worker calls them part by part,
// each in a transaction of its own, and says how far it is in visage.keeper. [8.2.4d, 8.2.5g]
#pragma once

#include "pg/pg.h"

namespace visage::pg {

Size keeper_shared_size();
void keeper_shared_startup();
// Call while the server starts.
void keeper_register();

}  // namespace visage::pg
