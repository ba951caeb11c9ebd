// Input and output that visage.probe and visage.reference share. None of it needs a key or decrypts.
#pragma once

#include "core/base/bytes.h"
#include "core/base/status.h"
#include "pg/pg.h"

namespace visage::pg {

struct EnvelopeType {
  const char* name;  // as messages call it
  size_t max_size;
  Status (*check)(Bytes envelope);  // structure only
};

Datum envelope_in(const EnvelopeType& type, const char* text);
char* envelope_out(const struct varlena* value);
Datum envelope_recv(const EnvelopeType& type, StringInfo message);
bytea* envelope_send(struct varlena* value);

inline Bytes envelope_bytes(const struct varlena* value) {
  return {reinterpret_cast<const uint8_t*>(VARDATA_ANY(value)),
          static_cast<size_t>(VARSIZE_ANY_EXHDR(value))};
}

// Allocates a varlena with room for `size` bytes.
struct varlena* new_envelope(size_t size);
inline MutableBytes envelope_span(struct varlena* value) {
  return {reinterpret_cast<uint8_t*>(VARDATA(value)), static_cast<size_t>(VARSIZE(value)) - VARHDRSZ};
}

}  // namespace visage::pg
