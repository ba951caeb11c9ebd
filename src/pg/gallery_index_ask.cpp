// Questions to the index worker, from the backend's side; and the memory that they are in.
#include <sys/mman.h>

#include "core/base/secret.h"
#include "pg/gallery_index_shared.h"
#include "pg/settings.h"
#include "pg/shared.h"

extern "C" {
#include "pgstat.h"
#include "storage/proc.h"
}

namespace visage::pg {
namespace {

constexpr Size kRequestsSize = sizeof(IndexRequest) * kIndexRequests;
IndexRequest* requests = nullptr;
IndexShared* shared = nullptr;

struct Asking {
  MemoryContextCallback callback;
  IndexRequest* request;  // null when it was dealt with
};

// By error or not: nothing of a question stays.
void leave(IndexRequest& request) {
  RequestState state = RequestState::kAsked;
  if (request.state.compare_exchange_strong(state, RequestState::kFilling)) {
    free_request(request);
    return;
  }
  state = RequestState::kTaken;
  if (request.state.compare_exchange_strong(state, RequestState::kLeft)) return;
  free_request(request);
}

void end_of_context(void* argument) {
  auto* asking = static_cast<Asking*>(argument);
  if (asking->request != nullptr) leave(*asking->request);
  asking->request = nullptr;
}

IndexRequest* take_free_request() {
  for (int i = 0; i < kIndexRequests; ++i) {
    RequestState free = RequestState::kFree;
    if (requests[i].state.compare_exchange_strong(free, RequestState::kFilling)) return &requests[i];
  }
  return nullptr;
}

bool is_served(int32 gallery, const gallery_index::Kind* kind) {
  bool served = false;
  LWLockAcquire(shared_lock(SharedLock::kGalleryIndex), LW_SHARED);
  if (shared->worker_latch != nullptr && shared->database == MyDatabaseId)
    for (const IndexStatus& index : shared->indexes)
      served = served || (index.gallery == gallery && index.state == IndexState::kServing &&
                          (kind == nullptr || index.kind == *kind));
  LWLockRelease(shared_lock(SharedLock::kGalleryIndex));
  return served;
}

void wake_worker() {
  LWLockAcquire(shared_lock(SharedLock::kGalleryIndex), LW_SHARED);
  if (shared->worker_latch != nullptr) SetLatch(shared->worker_latch);
  LWLockRelease(shared_lock(SharedLock::kGalleryIndex));
}

void count_timeout() {
  LWLockAcquire(shared_lock(SharedLock::kGalleryIndex), LW_EXCLUSIVE);
  ++shared->timeouts;
  LWLockRelease(shared_lock(SharedLock::kGalleryIndex));
}

// False when the time is over.
bool wait_for_answer(const IndexRequest& request) {
  const TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), settings::index_timeout);
  for (;;) {
    if (request.state.load(std::memory_order_acquire) == RequestState::kAnswered) return true;
    const long left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), end);
    if (left <= 0) return false;
    (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, left, PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
    CHECK_FOR_INTERRUPTS();
  }
}

}  // namespace

void gallery_index_reserve() {
  if (settings::gallery_memory == 0) return;
  void* const memory =
      mmap(nullptr, kRequestsSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) ereport(FATAL, (errmsg("could not map memory for questions to indexes: %m")));
  if (madvise(memory, kRequestsSize, MADV_DONTDUMP) != 0)
    ereport(FATAL, (errmsg("could not exclude questions to indexes from core dumps: %m")));
  requests = static_cast<IndexRequest*>(memory);
}

Size gallery_index_shared_size() {
  return MAXALIGN(sizeof(IndexShared));
}

void gallery_index_shared_startup() {
  bool found = false;
  shared = static_cast<IndexShared*>(ShmemInitStruct("pg_visage indexes", sizeof(IndexShared), &found));
  if (found) return;
  memset(static_cast<void*>(shared), 0, sizeof(IndexShared));
  // After a crash of a process the others are gone, and so is who asked.
  if (requests != nullptr) wipe(static_cast<void*>(requests), kRequestsSize);
}

IndexShared& index_shared() {
  return *shared;
}

bool lock_requests() {
  return mlock(requests, kRequestsSize) == 0;
}

IndexRequest& index_request(int number) {
  return requests[number];
}

void free_request(IndexRequest& request) {
  wipe(request.probe.words, sizeof request.probe.words);
  wipe(request.answer.hits, sizeof(gallery::Hit) * Min(request.answer.count, kMaxIndexHits));
  request.answer.count = 0;
  request.state.store(RequestState::kFree, std::memory_order_release);
}

bool ask_index(int32 gallery, const gallery_index::Kind* kind, const gallery::SignCode& probe, uint32 bound,
               IndexAnswer& out) {
  if (requests == nullptr || !is_served(gallery, kind)) return false;
  auto* const asking = static_cast<Asking*>(MemoryContextAllocZero(CurrentMemoryContext, sizeof(Asking)));
  asking->callback.func = end_of_context;
  asking->callback.arg = asking;
  MemoryContextRegisterResetCallback(CurrentMemoryContext, &asking->callback);
  IndexRequest* const request = take_free_request();
  if (request == nullptr) return false;
  asking->request = request;
  request->asker = MyLatch;
  request->gallery = gallery;
  request->bound = bound;
  request->probe = probe;
  request->known = false;
  request->answer.count = 0;
  request->state.store(RequestState::kAsked, std::memory_order_release);
  wake_worker();
  bool known = false;
  if (wait_for_answer(*request)) {
    known = request->known;
    if (known) {
      out.gallery = gallery;
      out.bound = bound;
      out.publication = request->answer.publication;
      out.worker = request->answer.worker;
      out.count = request->answer.count;
      memcpy(static_cast<void*>(out.hits), request->answer.hits, sizeof(gallery::Hit) * out.count);
    }
  } else {
    count_timeout();
  }
  asking->request = nullptr;
  leave(*request);
  return known;
}

}  // namespace visage::pg
