// The memory of this process: how much there is, and whether it stays out of swap.
#pragma once

#include <cstddef>

namespace visage::sidecar {

// Locks all memory, now and to come, as pages are touched, so that no sample and no key reaches swap. False
// when the process may not: then swap must be encrypted or off, as docs/operations.md says. Where a limit
// would let a later allocation fail instead, nothing is locked.
bool lock_memory();

// At most so many heaps. glibc makes up to eight a core, and each keeps the most that a picture ever took of
// it, whichever of the threads that serve connections it was: some 40 MB a heap. Call it before there are
// threads.
void bound_heaps(size_t count);

// Bytes in RAM; 0 when the kernel does not say.
double resident_bytes();

}  // namespace visage::sidecar
