// What a search gets from the indexes, asked before it reads memory: waiting and reading do not go together.
#pragma once

#include "pg/gallery_index.h"
#include "pg/gallery_store.h"

namespace visage::pg {

struct Flow;

// Of the epochs whose index had an answer, by place.
struct IndexAnswers {
  int count;
  IndexAnswer* each[kMaxEpochs];
};

// Asks for all that are near enough for a score that reaches `threshold`. For use inside SPI.
void ask_indexes(const Flow& flow, gallery_index::Kind kind, double threshold, IndexAnswers& out);
// Null: search the epoch's chain exactly. An answer to a narrower question is none.
const IndexAnswer* answer_for(const IndexAnswers& answers, int32 gallery, uint32 bound);
// The hits in one block that the answer covers.
struct BlockHits {
  const gallery::Hit* begin;
  const gallery::Hit* end;
};
BlockHits hits_in_block(const IndexAnswer& answer, uint32 number);

}  // namespace visage::pg
