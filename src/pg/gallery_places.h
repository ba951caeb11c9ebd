// Where the gallery worker puts codes: blocks, chains, free places, and what waits for readings to end.
//
// The worker's alone. Nothing here is seen by others before publish_places(), but for codes themselves,
// which are in place before their live bit is set.
#pragma once

#include "pg/gallery_shared.h"

namespace visage::pg {

enum class Room { kFound, kOverLimit, kNotLocked };

struct LocalChain {
  int32 gallery;  // as CodeChain
  uint32 first;
  uint64 live;
  uint32* free;  // places, a stack
  uint32 free_count;
  uint32 free_capacity;
};
struct LocalChains {
  int count;
  LocalChain chains[kMaxChains];
  uint32 blocks;
};

void places_init();

// The chains of a gallery, by its number in GalleryShared.
LocalChains& chains_of(int gallery);
// A new chain, at most kMaxChains; the first is that without codes. Returns its number.
int add_chain(int gallery, int32 epoch);

// A place that is nobody's yet; fill code_at() and keep it, or give it back.
Room reserve_place(int gallery, int chain, uint32& place);
gallery::SignCode& code_at(uint32 place);
void keep_place(uint32 place, const Uuid& reference, uint64 next_publication);
void give_back_place(uint32 place);

// gallery::kNoPlace when there is none.
uint32 place_of(const Uuid& reference);
int gallery_of(uint32 place);
int chain_of(uint32 place);
// What was there stays readable to readings before `next_publication`.
void retire_place(uint32 place, uint64 next_publication);
void retire_gallery(int gallery, uint64 next_publication);

// Frees what no reading needs, when publications before `oldest` are read no more.
void free_retired(uint64 oldest);
uint64 retired_count();
// Moves the codes of a chain's first block into the others when more than a block's places are free.
void compact(int gallery, uint64 next_publication);

uint32 free_blocks();

}  // namespace visage::pg
