// Codes of a gallery as rows: made with a reference, of the same capture, and kept as long as it.
#pragma once

#include "core/gallery/code.h"
#include "pg/pg.h"

namespace visage::pg {

// The epoch that new references of a model get a code of.
struct Gallery {
  bool open;
  int32 id;
  gallery::Epoch epoch;
};

// Of an institution and a probe's model; not open where there is none. For use inside SPI.
void find_gallery(int32 institution, const probe::Contents& probe, Gallery& out);

// The code of the reference that was made of the same probe. `out` has gallery::sealed_code_size() bytes.
Status encode(const Gallery& gallery, const keys::SubjectKey& subject_key, const probe::Contents& probe,
              const reference::Header& of, MutableBytes out);

// Stores it, in the place of an earlier generation's; null: there is none, and an earlier one goes. For use
// inside SPI, after the reference's row.
void store_code(int32 gallery, const reference::Header& of, struct varlena* sealed);

}  // namespace visage::pg
