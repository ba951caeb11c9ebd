// What the index worker and those who ask it share. For gallery_index_*.cpp alone.
#pragma once

#include "pg/gallery_index.h"

extern "C" {
#include "storage/latch.h"
}

namespace visage::pg {

inline constexpr int kMaxIndexes = 64;
inline constexpr int kIndexRequests = 32;

enum class IndexState : uint32 { kBuilding, kServing, kOverLimit, kFaulty };

struct IndexStatus {
  int32 gallery;  // 0: not used
  gallery_index::Kind kind;
  IndexState state;
  uint64 done;  // codes taken, of `due`, while it is built
  uint64 due;
  uint64 codes;   // in the index
  uint64 strays;  // of these no longer in the gallery
  uint64 bytes;
  bool from_snapshot;
  int64 build_ms;
  int64 answers;
  int64 overlooked;  // answers that were not given because there was more than the index could list
  char fault[160];
};

// Under SharedLock::kGalleryIndex.
struct IndexShared {
  int worker_pid;
  Oid database;
  Latch* worker_latch;
  bool locked;  // is the worker's memory kept from the swap?
  int64 timeouts;
  char fault[160];
  IndexStatus indexes[kMaxIndexes];
};
IndexShared& index_shared();

// A question goes round: free, asked, taken, answered, free. Whoever asks may go away: a question that is not
// taken is withdrawn, one that is taken is left, and the worker frees it.
enum class RequestState : uint32 { kFree, kFilling, kAsked, kTaken, kAnswered, kLeft };

// In memory that is locked and left out of dumps: who a code looks like is a secret, as the code is.
struct IndexRequest {
  std::atomic<RequestState> state;
  Latch* asker;
  int32 gallery;
  uint32 bound;
  gallery::SignCode probe;
  bool known;  // is there an answer?
  IndexAnswer answer;
};

// Locks them all, for as long as this process lives: the worker's, so that a server without indexes needs no
// more locked memory. False: errno says why not.
bool lock_requests();
IndexRequest& index_request(int number);
// Wipes it and frees it.
void free_request(IndexRequest& request);

}  // namespace visage::pg
