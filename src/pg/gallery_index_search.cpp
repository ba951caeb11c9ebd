#include "pg/gallery_index_search.h"

#include <algorithm>

#include "pg/flow.h"
#include "pg/secret_memory.h"

namespace visage::pg {

void ask_indexes(const Flow& flow, gallery_index::Kind kind, double threshold, IndexAnswers& out) {
  out.count = 0;
  const ProbeCodes* const codes =
      make_probe_codes(flow.policy.institution, *flow.contents, threshold, reference::kDefaultCodeBits);
  auto* answer = allocate_wiped<IndexAnswer>(CurrentMemoryContext);
  for (int i = 0; i < codes->count; ++i) {
    const ProbeCodes::Each& each = codes->each[i];
    if (!ask_index(each.gallery.id, &kind, each.code, codes->bound, *answer)) continue;
    std::sort(answer->hits, answer->hits + answer->count,
              [](const gallery::Hit& a, const gallery::Hit& b) { return a.place < b.place; });
    out.each[out.count++] = answer;
    answer = allocate_wiped<IndexAnswer>(CurrentMemoryContext);
  }
}

const IndexAnswer* answer_for(const IndexAnswers& answers, int32 gallery, uint32 bound) {
  for (int i = 0; i < answers.count; ++i)
    if (answers.each[i]->gallery == gallery && answers.each[i]->bound >= bound) return answers.each[i];
  return nullptr;
}

BlockHits hits_in_block(const IndexAnswer& answer, uint32 number) {
  const auto before = [](const gallery::Hit& hit, uint32 block) { return hit.place / kBlockPlaces < block; };
  const gallery::Hit* const end = answer.hits + answer.count;
  const gallery::Hit* const first = std::lower_bound(answer.hits, end, number, before);
  return {first, std::lower_bound(first, end, number + 1, before)};
}

}  // namespace visage::pg
