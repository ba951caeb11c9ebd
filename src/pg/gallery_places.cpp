#include "pg/gallery_places.h"

#include "core/base/secret.h"
#include "core/gallery/place_index.h"

namespace visage::pg {
namespace {

struct ReferenceAt {
  const Uuid& operator()(uint32_t place) const {
    return block_at(place / kBlockPlaces).references[place % kBlockPlaces];
  }
};

constexpr uint32 kNobody = PG_UINT32_MAX;

// Of a block.
struct Home {
  uint32 gallery;  // kNobody: free, or no more in a chain
  int chain;
};

enum class Waiting : uint32 { kPlace, kBlock };
struct Retired {
  uint64 publication;  // readings from this one on do not need it
  uint32 number;
  Waiting what;
};

MemoryContext context = nullptr;
gallery::PlaceIndex<ReferenceAt> index{ReferenceAt{}};
uint32* index_slots = nullptr;
LocalChains* galleries = nullptr;
Home* homes = nullptr;
uint32* free_list = nullptr;  // of blocks
uint32 free_count = 0;
// In the order of publications: a ring would be as good, but it is short.
Retired* retired = nullptr;
uint64 retired_first = 0, retired_end = 0, retired_capacity = 0;

void* allocate(Size size) {
  return MemoryContextAllocExtended(context, size, MCXT_ALLOC_HUGE);
}

template <typename T>
void grow(T*& array, uint64 used, uint64 capacity) {
  T* const larger = static_cast<T*>(allocate(capacity * sizeof(T)));
  if (array != nullptr) {
    memcpy(larger, array, used * sizeof(T));
    pfree(array);
  }
  array = larger;
}

void set_live(uint32 place, bool live) {
  std::atomic<uint64_t>& word = block_at(place / kBlockPlaces).live[place % kBlockPlaces / 64];
  const uint64_t bit = uint64_t{1} << (place % 64);
  if (live)
    word.fetch_or(bit, std::memory_order_release);
  else
    word.fetch_and(~bit, std::memory_order_release);
}

bool is_live(uint32 place) {
  return (block_at(place / kBlockPlaces).live[place % kBlockPlaces / 64].load() >> (place % 64) & 1) != 0;
}

Home& home_of(uint32 place) {
  return homes[place / kBlockPlaces];
}

LocalChain& own_chain(const Home& home) {
  return galleries[home.gallery].chains[home.chain];
}

void push_free(LocalChain& chain, uint32 place) {
  if (chain.free_count == chain.free_capacity) {
    const uint32 capacity = Max(2 * chain.free_capacity, kBlockPlaces);
    grow(chain.free, chain.free_count, capacity);
    chain.free_capacity = capacity;
  }
  chain.free[chain.free_count++] = place;
}

void retire(Waiting what, uint32 number, uint64 publication) {
  if (retired_end == retired_capacity) {
    if (retired_first > retired_capacity / 2) {
      memmove(retired, retired + retired_first, (retired_end - retired_first) * sizeof *retired);
      retired_end -= retired_first;
      retired_first = 0;
    } else {
      retired_capacity = Max(2 * retired_capacity, uint64{1024});
      grow(retired, retired_end, retired_capacity);
    }
  }
  retired[retired_end++] = {publication, number, what};
}

Room take_block(uint32 gallery, int chain) {
  LocalChain& target = galleries[gallery].chains[chain];
  if (free_count == 0) return Room::kOverLimit;
  const uint32 number = free_list[free_count - 1];
  if (!lock_block(number)) return Room::kNotLocked;
  --free_count;
  note_block_used(number);
  CodeBlock& block = block_at(number);
  block.next.store(target.first);
  homes[number] = {gallery, chain};
  for (uint32 i = kBlockPlaces; i > 0; --i) push_free(target, number * kBlockPlaces + i - 1);
  target.first = number;
  ++galleries[gallery].blocks;
  return Room::kFound;
}

void free_block(uint32 number) {
  release_block(number);
  free_list[free_count++] = number;
}

// Out of a chain, in which it comes first: so no block's way on changes while somebody may be on it, and a
// reading of an earlier publication goes through it as before.
void drop_first_block(LocalChain& chain, uint64 publication) {
  const uint32 number = chain.first;
  chain.first = block_at(number).next.load();
  --galleries[homes[number].gallery].blocks;
  homes[number].gallery = kNobody;
  retire(Waiting::kBlock, number, publication);
}

void free_place(uint32 place) {
  const Home& home = home_of(place);
  if (home.gallery == kNobody) return;  // its block goes as a whole
  set_live(place, false);
  wipe(&code_at(place), sizeof(gallery::SignCode));
  memset(block_at(place / kBlockPlaces).references[place % kBlockPlaces].bytes, 0, sizeof(Uuid));
  push_free(own_chain(home), place);
}

// Places of a block that is to be emptied are not given out any more.
void withhold_places(LocalChain& chain, uint32 number) {
  uint32 kept = 0;
  for (uint32 i = 0; i < chain.free_count; ++i)
    if (chain.free[i] / kBlockPlaces != number) chain.free[kept++] = chain.free[i];
  chain.free_count = kept;
}

// Where they were they stay, for as long as the block does.
void move_codes(uint32 number, LocalChain& chain, uint64 next_publication) {
  for (uint32 i = 0; i < kBlockPlaces; ++i) {
    const uint32 from = number * kBlockPlaces + i;
    const Uuid reference = ReferenceAt()(from);
    // What is retired already needs no other place.
    if (!is_live(from) || index.find(reference) != from) continue;
    const uint32 to = chain.free[--chain.free_count];
    code_at(to) = code_at(from);
    CodeBlock& block = block_at(to / kBlockPlaces);
    block.references[to % kBlockPlaces] = reference;
    block.written.store(next_publication);
    set_live(to, true);
    index.replace(from, to);
  }
}

}  // namespace

void places_init() {
  context = AllocSetContextCreate(TopMemoryContext, "pg_visage galleries", ALLOCSET_DEFAULT_SIZES);
  galleries = static_cast<LocalChains*>(allocate(sizeof(LocalChains) * kMaxGalleries));
  memset(static_cast<void*>(galleries), 0, sizeof(LocalChains) * kMaxGalleries);
  homes = static_cast<Home*>(allocate(sizeof(Home) * (Size{block_count()} + 1)));
  free_list = static_cast<uint32*>(allocate(sizeof(uint32) * (Size{block_count()} + 1)));
  for (uint32 number = block_count(); number > 0; --number) {
    homes[number] = {kNobody, 0};
    free_list[free_count++] = number;
  }
}

LocalChains& chains_of(int gallery) {
  return galleries[gallery];
}

int add_chain(int gallery, int32 epoch) {
  LocalChains& of = galleries[gallery];
  of.chains[of.count] = {epoch, kNoBlock, 0, nullptr, 0, 0};
  return of.count++;
}

Room reserve_place(int gallery, int chain, uint32& place) {
  LocalChain& from = galleries[gallery].chains[chain];
  if (from.free_count == 0) {
    const Room room = take_block(static_cast<uint32>(gallery), chain);
    if (room != Room::kFound) return room;
  }
  place = from.free[--from.free_count];
  return Room::kFound;
}

gallery::SignCode& code_at(uint32 place) {
  return reinterpret_cast<gallery::SignCode*>(block_at(place / kBlockPlaces).codes)[place % kBlockPlaces];
}

void keep_place(uint32 place, const Uuid& reference, uint64 next_publication) {
  if (index.wants_room()) {
    const Size slots = Max(2 * index.slot_count(), Size{1} << 12);
    auto* const larger = static_cast<uint32*>(allocate(slots * sizeof(uint32)));
    uint64 seed;
    if (!pg_strong_random(&seed, sizeof seed)) elog(ERROR, "could not generate a random seed");
    index.move_to(larger, slots, seed);
    if (index_slots != nullptr) pfree(index_slots);
    index_slots = larger;
  }
  const uint32 before = index.find(reference);
  CodeBlock& block = block_at(place / kBlockPlaces);
  block.references[place % kBlockPlaces] = reference;
  block.written.store(next_publication);
  set_live(place, true);
  ++own_chain(home_of(place)).live;
  if (before == gallery::kNoPlace) {
    index.insert(place);
  } else {
    index.replace(before, place);
    --own_chain(home_of(before)).live;
    retire(Waiting::kPlace, before, next_publication);
  }
}

void give_back_place(uint32 place) {
  wipe(&code_at(place), sizeof(gallery::SignCode));
  push_free(own_chain(home_of(place)), place);
}

uint32 place_of(const Uuid& reference) {
  return index.find(reference);
}

int gallery_of(uint32 place) {
  return static_cast<int>(home_of(place).gallery);
}

int chain_of(uint32 place) {
  return home_of(place).chain;
}

void retire_place(uint32 place, uint64 next_publication) {
  index.erase(place);
  --own_chain(home_of(place)).live;
  retire(Waiting::kPlace, place, next_publication);
}

void retire_gallery(int gallery, uint64 next_publication) {
  LocalChains& of = galleries[gallery];
  for (int i = 0; i < of.count; ++i) {
    LocalChain& chain = of.chains[i];
    for (uint32 number = chain.first; number != kNoBlock; number = block_at(number).next.load()) {
      for (uint32 j = 0; j < kBlockPlaces; ++j) {
        const uint32 place = number * kBlockPlaces + j;
        if (is_live(place) && index.find(ReferenceAt()(place)) == place) index.erase(place);
      }
      homes[number].gallery = kNobody;
      retire(Waiting::kBlock, number, next_publication);
    }
    if (chain.free != nullptr) pfree(chain.free);
  }
  memset(static_cast<void*>(&of), 0, sizeof of);
}

void free_retired(uint64 oldest) {
  while (retired_first < retired_end && retired[retired_first].publication <= oldest) {
    const Retired& next = retired[retired_first++];
    if (next.what == Waiting::kBlock)
      free_block(next.number);
    else
      free_place(next.number);
  }
  if (retired_first == retired_end) retired_first = retired_end = 0;
}

uint64 retired_count() {
  return retired_end - retired_first;
}

void compact(int gallery, uint64 next_publication) {
  LocalChains& of = galleries[gallery];
  for (int i = 0; i < of.count; ++i) {
    LocalChain& chain = of.chains[i];
    if (chain.first == kNoBlock) continue;
    // Half a block more than one, so that a chain does not go to and fro.
    if (chain.free_count < kBlockPlaces + kBlockPlaces / 2 && chain.live != 0) continue;
    withhold_places(chain, chain.first);
    move_codes(chain.first, chain, next_publication);
    drop_first_block(chain, next_publication);
  }
}

uint32 free_blocks() {
  return free_count;
}

}  // namespace visage::pg
