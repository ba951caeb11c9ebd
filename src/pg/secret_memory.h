// Memory of one backend for opened probes: locked, left out of core dumps, wiped when its memory context
// ends, or earlier.
#pragma once

#include "core/probe/probe.h"
#include "pg/pg.h"

namespace visage::pg {

// A place for opened contents, wiped when `context` is reset or deleted, by error or not. Raises when all
// places are in use.
probe::Contents* allocate_contents(MemoryContext context);
// Wipes the contents and gives their place back at once: a row may have many calls in one context.
void release_contents(probe::Contents* contents);

}  // namespace visage::pg
