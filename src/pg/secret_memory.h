// Memory of one backend for secrets, wiped when its memory context ends. That of opened probes is locked and
// left out of core dumps too, and can be wiped earlier.
#pragma once

#include "core/probe/probe.h"
#include "pg/pg.h"

namespace visage::pg {

// A place for opened contents, wiped when `context` is reset or deleted, by error or not. Raises when all
// places are in use.
probe::Contents* allocate_contents(MemoryContext context);
// Wipes the contents and gives their place back at once: a row may have many calls in one context.
void release_contents(probe::Contents* contents);

// Zeroed memory of the context itself, neither locked nor kept out of dumps: for what is secret and
// short-lived, as keys on the stack are.
void* allocate_wiped(MemoryContext context, Size size);
template <typename T>
T* allocate_wiped(MemoryContext context) {
  return static_cast<T*>(allocate_wiped(context, sizeof(T)));
}

}  // namespace visage::pg
