#include "pg/gallery_search.h"

#include "core/gallery/search.h"
#include "pg/flow.h"
#include "pg/gallery_store.h"
#include "pg/settings.h"

namespace visage::pg {
namespace {

// No kernel for what a setting forces: the scalar one gives the same.
const gallery::Kernels& search_kernels() {
  const gallery::Kernels* const forced = gallery::kernels_at(settings::kernels().level);
  return forced != nullptr ? *forced : gallery::kScalarKernels;
}

const ProbeCodes::Each* code_for(const ProbeCodes& codes, int32 gallery) {
  for (int i = 0; i < codes.count; ++i)
    if (codes.each[i].gallery.id == gallery) return &codes.each[i];
  return nullptr;
}

// Null `code`: everybody.
void search_block(const gallery::Kernels& kernels, const CodeBlock& block, const ProbeCodes::Each* code,
                  uint32_t bound, UuidList& out) {
  uint64_t live[kLiveWords];
  copy_live(block, live);
  if (code == nullptr) {
    for (uint32 i = 0; i < kBlockPlaces; ++i)
      if ((live[i / 64] >> (i % 64) & 1) != 0) add_to_list(out, block.references[i]);
    return;
  }
  gallery::Hit hits[kBlockPlaces];
  const size_t found = kernels.within(block.codes, kBlockPlaces, code->code.words, bound, hits);
  for (size_t i = 0; i < found; ++i)
    if ((live[hits[i].place / 64] >> (hits[i].place % 64) & 1) != 0)
      add_to_list(out, block.references[hits[i].place]);
}

// What the index says is looked at once more: a hit is a code that is there and near, whatever became of the
// place since.
void take_hits(const gallery::Kernels& kernels, const IndexAnswer& answer, uint32 number,
               const ProbeCodes::Each& code, uint32_t bound, UuidList& out) {
  const BlockHits hits = hits_in_block(answer, number);
  if (hits.begin == hits.end) return;
  const CodeBlock& block = code_block(number);
  uint64_t live[kLiveWords];
  copy_live(block, live);
  for (const gallery::Hit* hit = hits.begin; hit != hits.end; ++hit) {
    const uint32 i = hit->place % kBlockPlaces;
    gallery::Hit again;
    if ((live[i / 64] >> (i % 64) & 1) != 0 &&
        kernels.within(block.codes + size_t{i} * gallery::kCodeWords, 1, code.code.words, bound, &again) == 1)
      add_to_list(out, block.references[i]);
  }
}

}  // namespace

bool search_memory(const Flow& flow, const GalleryReading& reading, const IndexAnswers& answers,
                   double threshold, int64 most, UuidList& out) {
  begin_list(out);
  const ProbeCodes* const codes =
      make_probe_codes(flow.policy.institution, *flow.contents, threshold, reference::kDefaultCodeBits);
  const gallery::Kernels& kernels = search_kernels();
  for (int i = 0; i < reading.chain_count; ++i) {
    const CodeChain& chain = reading.chains[i];
    const ProbeCodes::Each* const code = chain.gallery == 0 ? nullptr : code_for(*codes, chain.gallery);
    const IndexAnswer* const answer =
        code == nullptr ? nullptr : answer_for(answers, chain.gallery, codes->bound);
    for (uint32 number = chain.first; number != kNoBlock;) {
      CHECK_FOR_INTERRUPTS();
      const CodeBlock& block = code_block(number);
      if (answer != nullptr && answer_covers(*answer, reading, block))
        take_hits(kernels, *answer, number, *code, codes->bound, out);
      else
        search_block(kernels, block, code, codes->bound, out);
      if (out.count > static_cast<uint64>(most)) return false;
      number = block.next.load(std::memory_order_acquire);
    }
  }
  // One that the worker is moving, or has renewed, may be there twice.
  sort_list(out);
  return true;
}

}  // namespace visage::pg
