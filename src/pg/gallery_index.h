// Approximate indexes of galleries: asked by backends, kept by the index worker.
//
// A gallery's exact search reads each code; for very large ones an index may be faster. It is in a process of
// its own, because what it brings (FAISS, OpenMP, BLAS) must not be in one that talks to a client. A backend
// puts its question into shared memory and waits; when no answer comes in time, or there is no index, it
// searches exactly. An answer is never stale: it says of which publication it is, and the asker looks at all
// blocks that were written since.
#pragma once

#include "core/gallery/code.h"
#include "gallery_index/index.h"
#include "pg/gallery_memory.h"

namespace visage::pg {

inline constexpr uint32 kMaxIndexHits = 4096;

struct IndexAnswer {
  int32 gallery;
  uint32 bound;        // what was asked for
  uint64 publication;  // blocks that were written later are not in it
  uint64 worker;       // life of the gallery worker whose places these are
  uint32 count;
  gallery::Hit hits[kMaxIndexHits];
};

// False: search exactly. Waits up to visage.index_timeout, so not during a reading. `gallery` is an id of
// visage.gallery; `kind` null: any.
bool ask_index(int32 gallery, const gallery_index::Kind* kind, const gallery::SignCode& probe, uint32 bound,
               IndexAnswer& out);

// During a reading: does the index know this block as it is?
inline bool answer_covers(const IndexAnswer& answer, const GalleryReading& reading, const CodeBlock& block) {
  return answer.worker == reading.worker && answer.publication <= reading.publication &&
         block.written.load(std::memory_order_acquire) <= answer.publication;
}

// At server start.
void gallery_index_reserve();
Size gallery_index_shared_size();
void gallery_index_shared_startup();
void index_worker_register();

}  // namespace visage::pg
