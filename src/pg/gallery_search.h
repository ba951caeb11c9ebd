// A search in memory: which references may reach the threshold, of a gallery that the worker keeps there.
#pragma once

#include "pg/candidate.h"
#include "pg/gallery_index_search.h"
#include "pg/gallery_memory.h"
#include "pg/uuid_list.h"

namespace visage::pg {

struct Flow;

// Lists what is no farther from the flow's probe than a reference that reaches `threshold` can be, and
// all that have no code to tell by, sorted. Where an index has answered, its hits stand for the blocks that
// it knows as they are. False: more than `most`. Needs a reading; for use inside SPI.
bool search_memory(const Flow& flow, const GalleryReading& reading, const IndexAnswers& answers,
                   double threshold, int64 most, UuidList& out);

}  // namespace visage::pg
