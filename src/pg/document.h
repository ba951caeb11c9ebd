// The photo of an identity document, or of an authority, against the living person.   [6.6d, 6.6f, B.1]
//
// Neither is stored. Liveness and quality floors hold for the living person alone: a printed portrait has no
// liveness.
#pragma once

#include "core/probe/probe.h"
#include "pg/pg.h"

namespace visage::pg {

struct Flow;

// Opens the document's probe, and consumes it as the person's is; `id` is that probe's. False after setting
// the refusal.
bool take_document(Flow& flow, const struct varlena* value, probe::Contents& document, Uuid& id);

// Compares the flow's probe with it and decides: false where they are not one person, or cannot be compared.
bool compare_with_document(Flow& flow, const probe::Contents& document);

}  // namespace visage::pg
