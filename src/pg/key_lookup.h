// A subject's wrapped key, read straight through its index: what SPI would cost several times the comparison
// itself.
#pragma once

#include "core/keys/subject_key.h"
#include "pg/pg.h"

namespace visage::pg {

struct WrappedKey {
  uint8_t bytes[keys::kMaxWrappedSize];
  size_t size;

  Bytes view() const { return {bytes, size}; }
};

// False when the subject has no key under the active snapshot. Checks no rights: what comes back opens
// nothing without the ring, and only for the institution that is in its AAD.
bool find_wrapped_key(const Uuid& subject, WrappedKey& out);

}  // namespace visage::pg
