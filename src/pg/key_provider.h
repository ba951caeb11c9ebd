// Key providers: a table of functions, one file a provider.
#pragma once

#include <cstddef>

#include "pg/pg.h"

namespace visage::pg {

struct KeyProvider {
  const char* scheme;  // what stands before the colon in the setting
  // Reads the provider's whole output into `out` and returns its length. Raises at `elevel` on any fault;
  // with an elevel below ERROR it returns -1. `argument` is what follows the colon.
  int (*read)(const char* setting, const char* argument, char* out, size_t capacity, int elevel);
};

extern const KeyProvider kFileKeyProvider;
extern const KeyProvider kCommandKeyProvider;

}  // namespace visage::pg
