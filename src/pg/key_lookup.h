// Subjects' wrapped keys for functions that are called once a row. SPI would cost several times the
// comparison itself, so they are read straight through the index; once a statement asks for many, from a
// table of all of them; and where that takes more memory than a hash may, from a table of those stored next
// to each other, while they are asked for in that order.
#pragma once

#include "pg/key_table.h"

namespace visage::pg {

// Valid under one snapshot: under the next one it starts again, as a key may have been destroyed meanwhile.
// Zeroes, but for the context that its table may use.
struct KeyLookup {
  MemoryContext context;
  TransactionId xmin, xmax;
  uint32 running;
  CommandId command;
  uint64 lookups;
  KeyTable* all;
  bool too_many;      // for the memory that a hash may take
  WrappedKey found;   // through the index
  BlockNumber block;  // where it was
  uint32 in_order;    // finds in a row that went forward
  KeyTable* window;   // the keys of the blocks from there on
};

// Null when the subject has no key under the active snapshot. Checks no rights: what comes back opens nothing
// without the ring, and only for the institution that is in its AAD.
const WrappedKey* find_wrapped_key(KeyLookup& lookup, const Uuid& subject);

}  // namespace visage::pg
