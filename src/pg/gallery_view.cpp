// What people see of galleries in memory: the source of visage.gallery_memory.
#include "pg/boundary.h"
#include "pg/gallery_shared.h"
#include "pg/keys.h"
#include "pg/shared.h"

namespace visage::pg {
namespace {

const char* label(const MemoryGallery& gallery) {
  switch (gallery.state) {
    case GalleryState::kFilling:
      return "filling";
    case GalleryState::kServing:
      return gallery.key_missing ? "key missing" : "serving";
    case GalleryState::kOverLimit:
      return "over the limit";
    case GalleryState::kNotLocked:
      return "not locked";
  }
  return nullptr;
}

}  // namespace

// galleries_in_memory() → (institution, model, gallery, state, done, due, codes, unopened, bytes, seen_at), a
// row for each chain of codes; gallery 0 is the one of references without a code.
VISAGE_FUNCTION(visage_galleries_in_memory) {
  key_ring();  // says so when the library is not preloaded
  InitMaterializedSRF(fcinfo, 0);
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  GalleryShared& shared = gallery_shared();
  auto* const copy = static_cast<MemoryGallery*>(palloc(sizeof shared.galleries));
  LWLockAcquire(shared_lock(SharedLock::kGallery), LW_SHARED);
  const int count = shared.database == MyDatabaseId ? shared.gallery_count : 0;
  memcpy(static_cast<void*>(copy), shared.galleries, sizeof *copy * static_cast<Size>(count));
  const TimestampTz seen_at = shared.publication > 0 ? shared.seen_at : 0;
  LWLockRelease(shared_lock(SharedLock::kGallery));
  for (int i = 0; i < count; ++i) {
    const MemoryGallery& gallery = copy[i];
    if (!gallery.used) continue;
    for (int j = 0; j < Max(gallery.chain_count, 1); ++j) {
      const CodeChain none = {};
      const CodeChain& chain = gallery.chain_count > 0 ? gallery.chains[j] : none;
      Datum values[] = {Int32GetDatum(gallery.name.institution),
                        CStringGetTextDatum(gallery.name.model),
                        Int32GetDatum(chain.gallery),
                        CStringGetTextDatum(label(gallery)),
                        Int64GetDatum(gallery.done),
                        Int64GetDatum(gallery.due),
                        Int64GetDatum(static_cast<int64>(chain.live)),
                        Int64GetDatum(static_cast<int64>(gallery.unopened)),
                        Int64GetDatum(j == 0 ? static_cast<int64>(gallery.blocks * kBlockSize) : 0),
                        TimestampTzGetDatum(seen_at)};
      bool nulls[lengthof(values)] = {};
      nulls[9] = seen_at == 0;
      tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
  }
  return static_cast<Datum>(0);
}

// gallery_worker() → (state, pid, memory, free, waiting, readings, searches, publication,
// seen_at, fault)
VISAGE_FUNCTION(visage_gallery_worker) {
  key_ring();
  TupleDesc descriptor;
  if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
    elog(ERROR, "return type must be a row type");
  GalleryShared& shared = gallery_shared();
  char fault[sizeof shared.fault];
  LWLockAcquire(shared_lock(SharedLock::kGallery), LW_SHARED);
  const int pid = shared.worker_pid;
  const uint64 publication = shared.publication;
  const TimestampTz seen_at = shared.seen_at;
  uint64 blocks = 0;
  for (int i = 0; i < shared.gallery_count; ++i) blocks += shared.galleries[i].blocks;
  const uint64 pending = shared.pending;
  memcpy(fault, shared.fault, sizeof fault);
  LWLockRelease(shared_lock(SharedLock::kGallery));
  const char* const state = block_count() == 0 ? "off"
                            : pid == 0         ? "stopped"
                            : fault[0] != '\0' ? "faulty"
                            : publication == 0 ? "filling"
                                               : "serving";
  Datum values[] = {CStringGetTextDatum(state),
                    Int32GetDatum(pid),
                    Int64GetDatum(static_cast<int64>(block_count() * kBlockSize)),
                    Int64GetDatum(static_cast<int64>(blocks * kBlockSize)),
                    Int64GetDatum(static_cast<int64>(pending)),
                    Int32GetDatum(count_readings()),
                    Int64GetDatum(static_cast<int64>(shared.searches.load())),
                    Int64GetDatum(static_cast<int64>(publication)),
                    TimestampTzGetDatum(seen_at),
                    CStringGetTextDatum(fault)};
  bool nulls[lengthof(values)] = {};
  nulls[1] = pid == 0;
  nulls[8] = publication == 0;
  nulls[9] = fault[0] == '\0';
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}

}  // namespace visage::pg
