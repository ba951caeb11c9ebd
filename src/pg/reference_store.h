// References as rows: made from a probe, stored, made anew.
#pragma once

#include "core/reference/reference.h"
#include "pg/pg.h"

namespace visage::pg {

struct NewReference {
  reference::Header header;
  struct varlena* sealed;
  uint8_t digest[reference::kDigestSize];  // for its event
  int32 gallery;                           // where its institution has one for the model: code is then set
  uint32_t epoch;
  struct varlena* code;
};

// Under the newest roots. Raises when it cannot be made. For use inside SPI, as all of these.
void make_reference(const probe::Contents& probe, const keys::Owner& owner, Bytes wrapped_key,
                    NewReference& out);
// The next generation of a stored one, under its id.
void remake_reference(const probe::Contents& probe, const keys::Owner& owner, Bytes wrapped_key,
                      const reference::Stored& stored, NewReference& out);

// Where a reference comes from, as visage.subject_reference.origin has it.
inline constexpr char kCapture[] = "capture", kAuthority[] = "authority", kImported[] = "import";

// With its code. `update` is false when the row is no longer of the generation before.
void insert_reference(const NewReference& made, const char* model, const text* channel, bool adapted,
                      const char* origin);
bool update_reference(const NewReference& made, bool dated_anew);

}  // namespace visage::pg
