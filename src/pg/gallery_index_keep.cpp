#include "pg/gallery_index_keep.h"

#include <signal.h>

#include <algorithm>
#include <cmath>

#include "core/base/secret.h"
#include "pg/boundary.h"
#include "pg/gallery_index_snapshot.h"
#include "pg/keys.h"
#include "pg/settings.h"
#include "pg/shared.h"

namespace visage::pg {
namespace {

using gallery_index::Follower;
using gallery_index::Kind;
using gallery_index::Library;

static_assert(gallery_index::kBlockPlaces == kBlockPlaces);

// Fewer are searched faster than asked for.
constexpr uint64 kFewestCodes = 256;
// Codes added in one step: some milliseconds, which is how long a question may have to wait.
constexpr size_t kStep = 32;
// Codes a list that IVF learns its lists from.
constexpr size_t kSampled = 40;
constexpr int64 kRetryMilliseconds = 60000;
// With more strays than one in so many codes an index is made anew.
constexpr size_t kStrayShare = 8;

struct Kept {
  int32 gallery;  // 0: not used
  GalleryName name;
  gallery::Epoch epoch;
  IndexState state;
  Follower* follower;  // null until it is made
  bool wanted;
  bool from_snapshot;
  bool saved;  // is there a snapshot of it on disk?
  bool save_tried;
  TimestampTz began;
  TimestampTz retry_at;  // after a fault
  int64 build_ms;
  uint64 live;         // codes of the chain, as of the last plan
  uint64 publication;  // that it serves; 0: none yet
  uint64 worker;       // life of the gallery worker, whose numbers of blocks these are
  // The round that goes on: blocks that are still to be taken, and what will be served then.
  uint64 next_publication;
  uint32* blocks;
  uint32 block_count;
  uint32 block_next;
  int64 answers;
  int64 overlooked;
  char fault[160];
};
Kept kept[kMaxIndexes];
const Library* library = nullptr;
MemoryContext work_context = nullptr;

gallery_index::Settings wanted_settings() {
  gallery_index::Settings out;
  out.threads = settings::index_threads;
  out.beam_of_search = static_cast<uint32_t>(settings::index_beam);
  out.probed_permille = static_cast<uint32_t>(settings::index_probed);
  return out;
}

void drop_round(Kept& index) {
  if (index.blocks != nullptr) pfree(index.blocks);
  index.blocks = nullptr;
  index.block_count = index.block_next = 0;
  index.next_publication = 0;
}

void drop_follower(Kept& index) {
  if (index.follower != nullptr) library->destroy(index.follower);
  index.follower = nullptr;
  index.publication = 0;
  index.build_ms = 0;
  index.from_snapshot = index.save_tried = false;
  drop_round(index);
}

void forget(Kept& index) {
  drop_follower(index);
  memset(static_cast<void*>(&index), 0, sizeof index);
}

// It is made anew after a while: what is the matter may be so again.
void give_up(Kept& index, const Status& status) {
  drop_follower(index);
  index.state = IndexState::kFaulty;
  index.retry_at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), kRetryMilliseconds);
  strlcpy(index.fault, status.message, sizeof index.fault);
  ereport(LOG, (errmsg("the index of gallery %d was given up: %s", index.gallery, status.message),
                errdetail("Searches of this gallery are exact.")));
}

void tell(const Kept& index, int place) {
  LWLockAcquire(shared_lock(SharedLock::kGalleryIndex), LW_EXCLUSIVE);
  IndexStatus& told = index_shared().indexes[place];
  memset(static_cast<void*>(&told), 0, sizeof told);
  told.gallery = index.gallery;
  Kind kind = Kind::kHnsw;
  (void)settings::keeps_index(kind);
  told.kind = kind;
  told.state = index.state;
  told.due = index.live;
  told.build_ms = index.build_ms;
  told.from_snapshot = index.from_snapshot;
  told.answers = index.answers;
  told.overlooked = index.overlooked;
  strlcpy(told.fault, index.fault, sizeof told.fault);
  if (index.follower != nullptr) {
    told.codes = index.follower->index().size();
    told.strays = index.follower->strays();
    told.done = told.codes - told.strays;
    told.bytes = index.follower->index().memory();
  }
  LWLockRelease(shared_lock(SharedLock::kGalleryIndex));
}

Kept* find_kept(int32 gallery) {
  for (Kept& index : kept)
    if (index.gallery == gallery) return &index;
  return nullptr;
}

size_t memory_limit() {
  return static_cast<size_t>(settings::index_memory) * 1024;
}

// What the others take or are going to.
size_t memory_of_others(const Kept& but) {
  Kind kind;
  if (!settings::keeps_index(kind)) return 0;
  size_t sum = 0;
  for (const Kept& index : kept)
    if (index.gallery != 0 && &index != &but && index.state != IndexState::kOverLimit)
      sum += library->expected_memory(kind, wanted_settings(), index.live);
  return sum;
}

// Blocks of the gallery's chain, in the work context. False: its memory does not serve it now.
bool list_blocks(const Kept& index, GalleryReading& reading, uint32*& blocks, uint32& count) {
  blocks = nullptr;
  count = 0;
  if (!begin_gallery_reading(index.name.institution, index.name.model, reading)) return false;
  for (int i = 0; i < reading.chain_count; ++i) {
    if (reading.chains[i].gallery != index.gallery) continue;
    uint32 room = 0;
    for (uint32 number = reading.chains[i].first; number != kNoBlock;
         number = code_block(number).next.load(std::memory_order_acquire)) {
      if (count == room) {
        room = room == 0 ? 1024 : room * 2;
        const Size size = sizeof(uint32) * room;
        blocks = static_cast<uint32*>(blocks == nullptr ? MemoryContextAllocHuge(TopMemoryContext, size)
                                                        : repalloc_huge(blocks, size));
      }
      blocks[count++] = number;
    }
  }
  return true;
}

// Codes from all over the gallery, for IVF to learn from. During a reading.
struct Sample {
  uint64_t* codes;
  size_t count;
};
Sample take_sample(const uint32* blocks, uint32 block_count, size_t most) {
  Sample out;
  out.codes = static_cast<uint64_t*>(
      MemoryContextAllocHuge(CurrentMemoryContext, (most + 1) * sizeof(gallery::SignCode)));
  out.count = 0;
  const size_t each = block_count == 0 ? 0 : (most + block_count - 1) / block_count;
  for (uint32 i = 0; i < block_count; ++i) {
    const CodeBlock& block = code_block(blocks[i]);
    uint64_t live[kLiveWords];
    copy_live(block, live);
    size_t here = 0;
    for (uint32 place = 0; place < kBlockPlaces && here < each && out.count < most; ++place) {
      if ((live[place / 64] >> (place % 64) & 1) == 0) continue;
      memcpy(out.codes + out.count++ * gallery::kCodeWords, block.codes + size_t{place} * gallery::kCodeWords,
             sizeof(gallery::SignCode));
      ++here;
    }
  }
  return out;
}

bool may_go_on() {
  answer_requests();
  return !ProcDiePending;
}

// An empty index, or one of a snapshot: no code of it has a place yet.
void make(Kept& index) {
  index.began = GetCurrentTimestamp();
  index.state = IndexState::kBuilding;
  index.fault[0] = '\0';
  Kind kind;
  (void)settings::keeps_index(kind);
  gallery_index::Settings wanted = wanted_settings();
  const Status loaded = load_snapshot(*library, kind, wanted, index.gallery, index.epoch, index.follower);
  index.from_snapshot = index.saved = index.save_tried = loaded.ok();
  if (loaded.ok()) return;
  if (loaded.code != Code::kInvalidArgument)
    ereport(LOG, (errmsg("the snapshot of gallery %d's index is not used: %s", index.gallery, loaded.message),
                  errdetail("The index is made anew.")));
  Sample sample = {nullptr, 0};
  if (kind == Kind::kIvf) {
    GalleryReading reading;
    uint32* blocks;
    uint32 count;
    if (!list_blocks(index, reading, blocks, count)) return;
    wanted.lists = static_cast<uint32_t>(Max(1, sqrt(static_cast<double>(index.live))));
    sample = take_sample(blocks, count, Min(kSampled * wanted.lists, static_cast<size_t>(index.live)));
    // Whatever was read: codes to learn from are no answer.
    (void)end_gallery_reading(reading);
    if (blocks != nullptr) pfree(blocks);
  }
  const Status made = guarded([&] {
    return library->create(
        kind, wanted, {sample.codes, sample.count * gallery::kCodeWords}, [] { return may_go_on(); },
        index.follower);
  });
  if (sample.codes != nullptr) wipe(sample.codes, sample.count * sizeof(gallery::SignCode));
  if (!made.ok()) give_up(index, made);
}

// Drops what is gone, and finds the blocks that the index has to look at.
Status compare_blocks(Kept& index, uint32* blocks, uint32 count, uint32& changed) {
  std::sort(blocks, blocks + count);
  return guarded([&]() -> Status {
    VISAGE_TRY(index.follower->keep_blocks(
        [&](uint32_t number) { return std::binary_search(blocks, blocks + count, number); }));
    changed = 0;
    for (uint32 i = 0; i < count; ++i) {
      const CodeBlock& block = code_block(blocks[i]);
      if (block.written.load(std::memory_order_acquire) > index.publication) {
        blocks[changed++] = blocks[i];
        continue;
      }
      uint64_t live[kLiveWords];
      copy_live(block, live);
      VISAGE_TRY(index.follower->drop_dead(blocks[i], live));
    }
    return {};
  });
}

// The gallery's codes as of now against what the index has: what there is to do.
void begin_round(Kept& index) {
  GalleryReading reading;
  uint32* blocks;
  uint32 count;
  if (!list_blocks(index, reading, blocks, count)) {
    // Filling, or gone: what the index has are places of nothing.
    index.publication = 0;
    return;
  }
  Status status;
  if (index.worker != reading.worker) {
    // Places were given anew: its codes are strays until the blocks show them.
    index.publication = 0;
    index.worker = reading.worker;
    status = guarded([&] { return index.follower->keep_blocks([](uint32_t) { return false; }); });
  }
  uint32 changed = 0;
  if (status.ok()) status = compare_blocks(index, blocks, count, changed);
  if (!end_gallery_reading(reading))
    status = Status::error(Code::kInternal, "the gallery worker ended meanwhile");
  if (status.ok()) {
    index.next_publication = reading.publication;
    index.blocks = blocks;
    index.block_count = changed;
    index.block_next = 0;
    return;
  }
  if (blocks != nullptr) pfree(blocks);
  give_up(index, status);
}

// A part of one block. One that was written since the round began is the next round's: it may be another
// gallery's by now.
Status take_part(Kept& index, bool& more) {
  static const uint64_t kNobody[kLiveWords] = {};
  const uint32 number = index.blocks[index.block_next];
  const CodeBlock& block = code_block(number);
  const auto is_newer = [&] {
    return block.written.load(std::memory_order_acquire) > index.next_publication;
  };
  more = false;
  if (is_newer()) return {};
  uint64_t live[kLiveWords];
  copy_live(block, live);
  return guarded([&]() -> Status {
    VISAGE_TRY(index.follower->take_block({number, block.codes, live}, kStep, more));
    if (!is_newer()) return {};
    more = false;
    return index.follower->drop_dead(number, kNobody);
  });
}

void go_on(Kept& index) {
  GalleryReading reading;
  if (!begin_gallery_reading(index.name.institution, index.name.model, reading)) {
    drop_round(index);
    index.publication = 0;
    return;
  }
  if (reading.worker != index.worker) {
    (void)end_gallery_reading(reading);
    drop_round(index);
    return;
  }
  bool more;
  Status status = take_part(index, more);
  if (!end_gallery_reading(reading))
    status = Status::error(Code::kInternal, "the gallery worker ended meanwhile");
  if (!status.ok())
    give_up(index, status);
  else if (!more)
    ++index.block_next;
}

void end_round(Kept& index) {
  index.publication = index.next_publication;
  drop_round(index);
  if (index.state == IndexState::kBuilding) {
    index.state = IndexState::kServing;
    index.build_ms = TimestampDifferenceMilliseconds(index.began, GetCurrentTimestamp());
  }
  gallery_index::Index& made = index.follower->index();
  const size_t strays = index.follower->strays();
  // Nobody who was deleted may be in a file.
  if (strays > 0 && index.saved) {
    remove_snapshot(index.gallery);
    index.saved = false;
  }
  if (made.memory() > memory_limit()) {
    drop_follower(index);
    index.state = IndexState::kOverLimit;
    strlcpy(index.fault, "it has outgrown visage.index_memory", sizeof index.fault);
    return;
  }
  if (strays * kStrayShare > made.size()) {
    drop_follower(index);
    return;
  }
  if (strays == 0 && !index.save_tried) {
    const Status status = save_snapshot(*library, *index.follower, index.gallery, index.epoch);
    index.save_tried = true;
    index.saved = status.ok();
    if (!status.ok())
      ereport(LOG, (errmsg("the index of gallery %d was not saved: %s", index.gallery, status.message)));
  }
}

}  // namespace

bool load_index_library(char* why, Size size) {
  // Waiting threads sleep; whoever links another BLAS gets no threads of its.
  setenv("OMP_WAIT_POLICY", "passive", 1);
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
  using Function = const void* (*)();
  void* handle;
  const auto function = reinterpret_cast<Function>(
      load_external_function(gallery_index::kLibraryName, gallery_index::kLibraryFunction, false, &handle));
  library = function == nullptr ? nullptr : static_cast<const Library*>(function());
  if (library == nullptr || library->version != gallery_index::kLibraryVersion ||
      library->settings_size != sizeof(gallery_index::Settings)) {
    snprintf(why, size, "%s", "pg_visage_gallery is not there or of another version");
    library = nullptr;
    return false;
  }
  work_context = AllocSetContextCreate(TopMemoryContext, "pg_visage index work", ALLOCSET_DEFAULT_SIZES);
  // Its threads take no signals: they are this process's.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  library->warm_up(settings::index_threads);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return true;
}

void plan_indexes() {
  MemoryContextSwitchTo(work_context);
  static GalleryName names[kMaxIndexes];
  const int count = list_galleries(names, kMaxIndexes);
  for (Kept& index : kept) index.wanted = false;
  for (int i = 0; i < count; ++i) {
    GalleryReading reading;
    if (!begin_gallery_reading(names[i].institution, names[i].model, reading)) {
      // Not now; what there is of it stays until it is known to be gone.
      for (Kept& index : kept)
        index.wanted =
            index.wanted || (index.gallery != 0 && index.name.institution == names[i].institution &&
                             strcmp(index.name.model, names[i].model) == 0);
      continue;
    }
    CodeChain chains[kMaxChains];
    const int chain_count = reading.chain_count;
    memcpy(static_cast<void*>(chains), reading.chains, sizeof chains);
    (void)end_gallery_reading(reading);
    for (int j = 0; j < chain_count; ++j) {
      if (chains[j].gallery == 0 || chains[j].live < kFewestCodes) continue;
      Kept* index = find_kept(chains[j].gallery);
      if (index == nullptr) {
        index = find_kept(0);
        if (index == nullptr) break;
        memset(static_cast<void*>(index), 0, sizeof *index);
        const bool found = read_epoch_of(chains[j].gallery, index->epoch);
        MemoryContextSwitchTo(work_context);
        if (!found) continue;
        index->gallery = chains[j].gallery;
        index->name = names[i];
      }
      index->wanted = true;
      index->live = chains[j].live;
    }
  }
  for (int i = 0; i < kMaxIndexes; ++i) {
    Kept& index = kept[i];
    if (index.gallery == 0) continue;
    if (!index.wanted) {
      remove_snapshot(index.gallery);
      forget(index);
    } else if (index.blocks == nullptr) {
      Kind kind;
      (void)settings::keeps_index(kind);
      const size_t needed = library->expected_memory(kind, wanted_settings(), index.live);
      if (index.follower == nullptr && needed + memory_of_others(index) > memory_limit()) {
        index.state = IndexState::kOverLimit;
        snprintf(index.fault, sizeof index.fault, "it takes %zu kB, more than visage.index_memory has left",
                 needed / 1024 + 1);
      } else if (index.follower != nullptr) {
        begin_round(index);
      } else if (GetCurrentTimestamp() >= index.retry_at) {
        make(index);
        if (index.follower != nullptr) begin_round(index);
      }
    }
    tell(index, i);
  }
  MemoryContextReset(work_context);
}

bool work_on_indexes() {
  MemoryContextSwitchTo(work_context);
  for (int i = 0; i < kMaxIndexes; ++i) {
    Kept& index = kept[i];
    if (index.gallery == 0 || index.blocks == nullptr) continue;
    if (index.block_next < index.block_count) {
      go_on(index);
    } else {
      end_round(index);
      tell(index, i);
    }
    MemoryContextReset(work_context);
    return true;
  }
  return false;
}

void answer_requests() {
  for (int i = 0; i < kIndexRequests; ++i) {
    IndexRequest& request = index_request(i);
    RequestState asked = RequestState::kAsked;
    if (!request.state.compare_exchange_strong(asked, RequestState::kTaken)) continue;
    Kept* const index = request.gallery == 0 ? nullptr : find_kept(request.gallery);
    request.known = false;
    if (index != nullptr && index->follower != nullptr && index->publication != 0) {
      bool overlooks = false;
      size_t count = 0;
      const Status status = guarded([&]() -> Status {
        gallery::Nearest nearest(request.answer.hits, kMaxIndexHits, request.bound);
        VISAGE_TRY(index->follower->index().search(
            {request.probe.words, gallery::kCodeWords},
            [](uint32_t place) {
              return (code_block(place / kBlockPlaces)
                              .live[place % kBlockPlaces / 64]
                              .load(std::memory_order_acquire) >>
                          (place % 64) &
                      1) != 0;
            },
            nearest, overlooks));
        count = nearest.sort();
        return {};
      });
      // More than it can list is left to those who look at everything.
      overlooks = overlooks || count == kMaxIndexHits;
      request.answer.count = static_cast<uint32>(count);
      request.answer.publication = index->publication;
      request.answer.worker = index->worker;
      request.known = status.ok() && !overlooks;
      index->answers += request.known;
      index->overlooked += overlooks;
    }
    Latch* const asker = request.asker;
    RequestState taken = RequestState::kTaken;
    if (request.state.compare_exchange_strong(taken, RequestState::kAnswered))
      SetLatch(asker);
    else
      free_request(request);
  }
}

void clear_requests() {
  for (int i = 0; i < kIndexRequests; ++i) {
    IndexRequest& request = index_request(i);
    RequestState left = RequestState::kLeft;
    if (request.state.compare_exchange_strong(left, RequestState::kFilling)) free_request(request);
    // Whoever still waits hears that nobody knows.
    RequestState taken = RequestState::kTaken;
    request.known = false;
    (void)request.state.compare_exchange_strong(taken, RequestState::kAnswered);
  }
}

}  // namespace visage::pg
