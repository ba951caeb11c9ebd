#include "pg/gallery_memory.h"

#include <sys/mman.h>

#include "core/base/secret.h"
#include "pg/gallery_shared.h"
#include "pg/gallery_start.h"
#include "pg/settings.h"
#include "pg/shared.h"

extern "C" {
#include "access/twophase.h"
#include "storage/proc.h"
}

namespace visage::pg {
namespace {

static_assert((Size{settings::kMaxGalleryMemory} * 1024 * 1024 / kBlockSize + 1) * kBlockPlaces <
              PG_UINT32_MAX);

// In a page of its own before the blocks. It outlives a crash restart, as the range does.
struct alignas(4096) RangeHeader {
  std::atomic<uint32> used;  // blocks up to this number
};

RangeHeader* range = nullptr;
CodeBlock* blocks = nullptr;  // number 1 is the first

GalleryShared* shared = nullptr;
std::atomic<uint64>* readers = nullptr;  // one a process: the publication that it reads, or 0
uint64* running = nullptr;

// What ends with the memory context of a reading.
struct Holding {
  MemoryContextCallback callback;
  uint64 ticket;
};
uint64 ticket_now = 0;
uint64 last_ticket = 0;

void stop_reading() {
  ticket_now = 0;
  readers[visage_proc_number()].store(0, std::memory_order_release);
}

void end_of_context(void* argument) {
  if (static_cast<Holding*>(argument)->ticket == ticket_now) stop_reading();
}

const MemoryGallery* find_serving(int32 institution, const char* model) {
  for (int i = 0; i < shared->gallery_count; ++i) {
    const MemoryGallery& gallery = shared->galleries[i];
    if (gallery.used && gallery.state == GalleryState::kServing && gallery.name.institution == institution &&
        strcmp(gallery.name.model, model) == 0)
      return &gallery;
  }
  return nullptr;
}

Size readers_size() {
  return MAXALIGN(mul_size(static_cast<Size>(MaxBackends), sizeof(std::atomic<uint64>)));
}

Size range_size() {
  return sizeof(RangeHeader) + static_cast<Size>(block_count()) * kBlockSize;
}

}  // namespace

void gallery_memory_reserve() {
  if (block_count() == 0) return;
  // Pages come with use, so what is reserved costs nothing but addresses.
  void* const memory =
      mmap(nullptr, range_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    ereport(FATAL, (errmsg("could not reserve memory for galleries: %m"),
                    errhint("Lower visage.gallery_memory; 0 keeps no gallery in memory.")));
  if (madvise(memory, range_size(), MADV_DONTDUMP) != 0)
    ereport(FATAL, (errmsg("could not exclude galleries from core dumps: %m")));
  range = new (memory) RangeHeader{};
  blocks = reinterpret_cast<CodeBlock*>(static_cast<char*>(memory) + sizeof(RangeHeader));
}

Size gallery_shared_size() {
  return add_size(add_size(MAXALIGN(sizeof(GalleryShared)), readers_size()),
                  MAXALIGN(mul_size(static_cast<Size>(running_capacity()), sizeof(uint64))));
}

void gallery_shared_startup() {
  bool found = false;
  shared = static_cast<GalleryShared*>(ShmemInitStruct("pg_visage galleries", sizeof(GalleryShared), &found));
  readers = static_cast<std::atomic<uint64>*>(
      ShmemInitStruct("pg_visage gallery readings", readers_size(), &found));
  running = static_cast<uint64*>(ShmemInitStruct(
      "pg_visage gallery snapshot", mul_size(static_cast<Size>(running_capacity()), sizeof(uint64)), &found));
  if (found) return;
  memset(static_cast<void*>(shared), 0, sizeof(GalleryShared));
  memset(static_cast<void*>(readers), 0, readers_size());
  // After a crash of a process the others are gone, and what they left here is nobody's.
  wipe_range();
}

GalleryShared& gallery_shared() {
  return *shared;
}

uint64* published_running() {
  return running;
}

int running_capacity() {
  return MaxBackends + max_prepared_xacts;
}

uint64 oldest_reading() {
  uint64 oldest = PG_UINT64_MAX;
  for (int i = 0; i < MaxBackends; ++i) {
    const uint64 publication = readers[i].load(std::memory_order_acquire);
    if (publication != 0) oldest = Min(oldest, publication);
  }
  return oldest;
}

int count_readings() {
  int count = 0;
  for (int i = 0; i < MaxBackends; ++i) count += readers[i].load(std::memory_order_relaxed) != 0;
  return count;
}

uint32 block_count() {
  return static_cast<uint32>(static_cast<Size>(settings::gallery_memory) * 1024 * 1024 / kBlockSize);
}

CodeBlock& block_at(uint32 number) {
  return blocks[number - 1];
}

void note_block_used(uint32 number) {
  if (range->used.load() < number) range->used.store(number);
}

bool lock_block(uint32 number) {
  return !settings::gallery_memory_locked || mlock(&block_at(number), kBlockSize) == 0;
}

void release_block(uint32 number) {
  CodeBlock* const block = &block_at(number);
  wipe(static_cast<void*>(block), kBlockSize);
  // Locked pages cannot be given back. Where the system will not have them, they stay, empty.
  (void)munlock(block, kBlockSize);
  (void)madvise(block, kBlockSize, MADV_REMOVE);
}

void wipe_range() {
  if (range == nullptr) return;
  const uint32 used = range->used.load();
  for (uint32 number = 1; number <= used; ++number) release_block(number);
  range->used.store(0);
}

bool begin_gallery_reading(int32 institution, const char* model, GalleryReading& out) {
  memset(static_cast<void*>(&out), 0, sizeof out);
  if (shared == nullptr || range == nullptr) return false;
  if (ticket_now != 0) elog(ERROR, "a process reads one gallery at a time");
  auto* const seen = static_cast<uint64*>(palloc(sizeof(uint64) * static_cast<Size>(running_capacity())));
  auto* const holding = static_cast<Holding*>(palloc0(sizeof(Holding)));
  holding->callback.func = end_of_context;
  holding->callback.arg = holding;
  holding->ticket = ++last_ticket;
  MemoryContextRegisterResetCallback(CurrentMemoryContext, &holding->callback);
  LWLockAcquire(shared_lock(SharedLock::kGallery), LW_SHARED);
  const uint64 worker = shared->worker.load();
  const MemoryGallery* const gallery = shared->publication != 0 && shared->database == MyDatabaseId
                                           ? find_serving(institution, model)
                                           : nullptr;
  if (gallery != nullptr) {
    out.publication = shared->publication;
    out.worker = worker;
    out.chain_count = gallery->chain_count;
    memcpy(static_cast<void*>(out.chains), gallery->chains, sizeof out.chains);
    for (int i = 0; i < gallery->chain_count; ++i) out.references += gallery->chains[i].live;
    memcpy(seen, running, sizeof(uint64) * static_cast<Size>(shared->seen_running_count));
    out.seen = {shared->seen_end, shared->seen_running_count, seen};
    ticket_now = holding->ticket;
    // With the lock: the worker publishes with it too, and looks at readings after that.
    readers[visage_proc_number()].store(out.publication, std::memory_order_seq_cst);
  }
  LWLockRelease(shared_lock(SharedLock::kGallery));
  return gallery != nullptr;
}

bool end_gallery_reading(const GalleryReading& reading) {
  // A worker that ends counts up before it wipes: who has read what was wiped sees the count.
  std::atomic_thread_fence(std::memory_order_acquire);
  const bool counts = shared->worker.load() == reading.worker;
  stop_reading();
  return counts;
}

bool end_gallery_search(const GalleryReading& reading) {
  const bool counts = end_gallery_reading(reading);
  if (counts) ++shared->searches;
  return counts;
}

const CodeBlock& code_block(uint32 number) {
  return block_at(number);
}

void copy_live(const CodeBlock& block, uint64_t (&out)[kLiveWords]) {
  for (uint32 i = 0; i < kLiveWords; ++i) out[i] = block.live[i].load(std::memory_order_acquire);
}

int list_galleries(GalleryName* out, int limit) {
  if (shared == nullptr) return 0;
  int count = 0;
  LWLockAcquire(shared_lock(SharedLock::kGallery), LW_SHARED);
  for (int i = 0; i < shared->gallery_count && count < limit; ++i)
    if (shared->galleries[i].used) out[count++] = shared->galleries[i].name;
  LWLockRelease(shared_lock(SharedLock::kGallery));
  return count;
}

}  // namespace visage::pg
