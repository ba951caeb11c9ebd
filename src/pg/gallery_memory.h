// Galleries in memory: the sign codes of an institution's references of one model, packed, written by the
// gallery worker alone and read in place by everybody.
//
// Memory. A range of fixed size (visage.gallery_memory) that the postmaster maps before it forks, so that it
// is at one address everywhere; left out of core dumps. Its pages come with use: the worker locks a block
// when it takes it, and wipes it and gives its pages back when it frees it. All of a block's places are
// numbered: place = block * kBlockPlaces + index, one number in all of memory.
//
// What is in it. Every reference that the worker's last published snapshot saw, of each institution and model
// that has a gallery: with its code in the chain of its code's epoch, or, when it has no code that opens, in
// the chain without codes (epoch.gallery == 0), where each must be compared. Nothing else is promised: a
// deleted reference stays for a while, and one may be there twice. So a place is a candidate, never an
// answer: what is found is looked up in the table, under a snapshot of the caller's.
//
// Never stale. `seen` of a reading is that snapshot, as the transactions that it saw. A caller that takes its
// own snapshot after begin_gallery_reading() and reads the rows of visage.subject_reference whose xid
// was not seen has, together with memory, every reference that its snapshot sees.
//
// Readers take no lock while they read. What was there when a reading began stays readable until it ends: the
// worker takes nothing away that a reading may still need. A reading must therefore be short (ms), and must
// not be kept across a wait for somebody. The only thing that can end it early is the end of the worker:
// then end_gallery_reading() says that what was read does not count.
#pragma once

#include "core/gallery/code.h"
#include "pg/pg.h"

namespace visage::pg {

inline constexpr uint32 kBlockPlaces = 1024;
inline constexpr uint32 kLiveWords = kBlockPlaces / 64;
// Blocks are numbered from 1. So the end of a chain is also what wiped memory says: who reads on in what a
// worker wiped as it ended comes to an end too.
inline constexpr uint32 kNoBlock = 0;

// A whole number of pages. Words of `live` are read before the codes and references that they speak of.
struct alignas(4096) CodeBlock {
  uint64_t codes[kBlockPlaces * gallery::kCodeWords];
  Uuid references[kBlockPlaces];
  std::atomic<uint64_t> live[kLiveWords];
  std::atomic<uint32_t> next;  // of its chain, or kNoBlock
  // The publication with which a code or reference was last written into it. Whoever keeps something made of
  // codes, as an index, looks at blocks that were written since for themselves. Clearing a bit of `live` does
  // not count.
  std::atomic<uint64_t> written;
};
inline constexpr Size kBlockSize = sizeof(CodeBlock);
static_assert(kBlockSize == 37 * 4096);

// One more than the epochs that a probe's codes are made for: chain 0 is the one without codes.
inline constexpr int kMaxChains = 5;
struct CodeChain {
  int32 gallery;  // id in visage.gallery; 0: references without a code
  uint32 first;   // block, or kNoBlock
  uint64 live;    // places that are in use
};

// What a snapshot saw: every transaction before `end` but for those in `running`, which are in ascending
// order.
struct SeenTransactions {
  uint64 end;
  int running_count;
  uint64* running;  // in the memory context in which the reading began
};

struct GalleryReading {
  uint64 publication;  // counts from 1; larger ones have seen more
  uint64 worker;       // which life of the worker
  int chain_count;
  CodeChain chains[kMaxChains];
  uint64 references;  // different ones that memory has, at this publication
  SeenTransactions seen;
};

// Begins a reading; false: memory does not serve this gallery (off, filling, over the limit, a standby), and
// the table must be read. At most one at a time in a process. Ends by itself with the memory context that is
// current, by error or not.
bool begin_gallery_reading(int32 institution, const char* model, GalleryReading& out);
// False: the worker ended meanwhile, and what was read does not count.
[[nodiscard]] bool end_gallery_reading(const GalleryReading& reading);
// The same for a search, which is counted: visage.gallery_memory tells how many there were.
[[nodiscard]] bool end_gallery_search(const GalleryReading& reading);

// During a reading.
const CodeBlock& code_block(uint32 number);
// A block's live bits as of now, for the kernels.
void copy_live(const CodeBlock& block, uint64_t (&out)[kLiveWords]);

// Which galleries there are, served or not; for whoever makes an index of each. Returns how many were
// written.
struct GalleryName {
  int32 institution;
  char model[probe::kMaxModelLength + 1];
};
int list_galleries(GalleryName* out, int limit);

}  // namespace visage::pg
