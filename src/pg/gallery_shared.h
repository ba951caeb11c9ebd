// What the gallery worker and the others share of galleries in memory, beside the blocks. For
// gallery_*.cpp alone; everybody else has gallery_memory.h.
#pragma once

#include "pg/gallery_memory.h"

extern "C" {
#include "storage/latch.h"
}

namespace visage::pg {

inline constexpr int kMaxGalleries = 1024;

enum class GalleryState : uint32 {
  kFilling,
  kServing,
  kOverLimit,  // it does not fit into visage.gallery_memory
  kNotLocked,  // the system does not let its memory be locked
};

struct MemoryGallery {
  bool used;
  GalleryName name;
  GalleryState state;
  bool key_missing;  // of an epoch; its codes do not count as codes
  int chain_count;
  CodeChain chains[kMaxChains];
  uint32 blocks;
  uint64 unopened;  // codes that did not open when they were read
  int64 done;       // references, while it is filled
  int64 due;
};

// Under SharedLock::kGallery but for the atomics. The worker alone writes.
struct GalleryShared {
  int worker_pid;
  Oid database;
  Latch* worker_latch;
  std::atomic<uint64> worker;    // counts lives of the worker; odd while one serves
  std::atomic<uint64> searches;  // that read memory, since the server started
  std::atomic<uint64> pending;   // places and blocks that wait for readings to end
  uint64 publication;            // 0: none yet in this life
  TimestampTz seen_at;           // when the published snapshot was taken
  uint64 seen_end;
  int seen_running_count;
  char fault[160];
  int gallery_count;  // places of `galleries` that may be used
  MemoryGallery galleries[kMaxGalleries];
};

GalleryShared& gallery_shared();
// As many as a snapshot can have.
uint64* published_running();
int running_capacity();
// The publication of the oldest reading that goes on, or PG_UINT64_MAX.
uint64 oldest_reading();
int count_readings();

// The range. Numbers are 1 to block_count().
uint32 block_count();
CodeBlock& block_at(uint32 number);
// Blocks that were ever used since the range was last empty: these and no others can hold codes.
void note_block_used(uint32 number);
// Locks, or wipes and gives back, the pages of a block. False: errno says why it cannot be locked.
bool lock_block(uint32 number);
void release_block(uint32 number);
void wipe_range();

}  // namespace visage::pg
