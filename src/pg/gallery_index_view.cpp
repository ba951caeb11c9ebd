// What people see of indexes, and how well an index finds: the sources of visage.gallery_indexes and
// visage.gallery_recall().
#include "core/gallery/bound.h"
#include "pg/boundary.h"
#include "pg/gallery_index_shared.h"
#include "pg/gallery_store.h"
#include "pg/keys.h"
#include "pg/secret_memory.h"
#include "pg/shared.h"

extern "C" {
#include "common/pg_prng.h"
}

namespace visage::pg {
namespace {

const char* label(IndexState state) {
  switch (state) {
    case IndexState::kBuilding:
      return "building";
    case IndexState::kServing:
      return "serving";
    case IndexState::kOverLimit:
      return "over the limit";
    case IndexState::kFaulty:
      return "faulty";
  }
  return nullptr;
}

// Two captures of one person have a cosine of about 0.7 (SFace): one bit in four differs.
constexpr uint32 kFlipOneIn = 4;
constexpr size_t kNearest = 10;

struct Sampled {
  gallery::SignCode probe;
  uint32 place;
  size_t nearest_count;
  gallery::Hit nearest[kNearest];
};

struct Recall {
  int64 sampled;
  int64 answered;
  int64 found;
  int64 near;
  int64 near_found;
};

const CodeChain* chain_of(const GalleryReading& reading, int32 gallery) {
  for (int i = 0; i < reading.chain_count; ++i)
    if (reading.chains[i].gallery == gallery) return &reading.chains[i];
  return nullptr;
}

// The person of a random place as another capture may be, and who is nearest to that by the exact search.
// False: there is no such place.
bool sample(const GalleryReading& reading, int32 gallery, uint32 bound, Sampled& out) {
  const CodeChain* const chain = chain_of(reading, gallery);
  if (chain == nullptr || chain->live == 0) return false;
  uint64 skip = pg_prng_uint64_range(&pg_global_prng_state, 0, chain->live - 1);
  out.place = PG_UINT32_MAX;
  for (uint32 number = chain->first; number != kNoBlock && out.place == PG_UINT32_MAX;
       number = code_block(number).next.load(std::memory_order_acquire)) {
    uint64_t live[kLiveWords];
    copy_live(code_block(number), live);
    for (uint32 i = 0; i < kBlockPlaces; ++i) {
      if ((live[i / 64] >> (i % 64) & 1) == 0 || skip-- > 0) continue;
      out.place = number * kBlockPlaces + i;
      memcpy(out.probe.words, code_block(number).codes + size_t{i} * gallery::kCodeWords,
             sizeof out.probe.words);
      break;
    }
  }
  if (out.place == PG_UINT32_MAX) return false;
  for (size_t bit = 0; bit < gallery::kCodeBits; ++bit)
    if (pg_prng_uint64_range(&pg_global_prng_state, 0, kFlipOneIn - 1) == 0)
      out.probe.words[bit / 64] ^= uint64_t{1} << bit % 64;
  const Status status = guarded([&]() -> Status {
    gallery::Nearest nearest(out.nearest, kNearest, bound);
    for (uint32 number = chain->first; number != kNoBlock;
         number = code_block(number).next.load(std::memory_order_acquire)) {
      const CodeBlock& block = code_block(number);
      uint64_t live[kLiveWords];
      copy_live(block, live);
      gallery::Hit hits[kBlockPlaces];
      const size_t found =
          gallery::best_kernels().within(block.codes, kBlockPlaces, out.probe.words, nearest.bound(), hits);
      for (size_t i = 0; i < found; ++i)
        if ((live[hits[i].place / 64] >> (hits[i].place % 64) & 1) != 0)
          nearest.offer({number * kBlockPlaces + hits[i].place, hits[i].distance});
    }
    out.nearest_count = nearest.sort();
    return {};
  });
  raise_unless_ok(status, "could not search a gallery");
  return true;
}

void compare(const Sampled& sampled, const IndexAnswer& answer, Recall& out) {
  const auto has = [&](uint32 place) {
    for (uint32 i = 0; i < answer.count; ++i)
      if (answer.hits[i].place == place) return true;
    return false;
  };
  ++out.answered;
  out.found += has(sampled.place);
  for (size_t i = 0; i < sampled.nearest_count; ++i) {
    ++out.near;
    out.near_found += has(sampled.nearest[i].place);
  }
}

}  // namespace

// gallery_indexes_in_memory() → (gallery, method, state, done, due, codes, strays, bytes, from_snapshot,
// build_ms, answers, overlooked, locked, fault)
VISAGE_FUNCTION(visage_gallery_indexes_in_memory) {
  key_ring();  // says so when the library is not preloaded
  InitMaterializedSRF(fcinfo, 0);
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  auto* const copy = static_cast<IndexShared*>(palloc(sizeof(IndexShared)));
  LWLockAcquire(shared_lock(SharedLock::kGalleryIndex), LW_SHARED);
  memcpy(static_cast<void*>(copy), &index_shared(), sizeof *copy);
  LWLockRelease(shared_lock(SharedLock::kGalleryIndex));
  for (const IndexStatus& index : copy->indexes) {
    if (index.gallery == 0 || copy->database != MyDatabaseId) continue;
    Datum values[] = {Int32GetDatum(index.gallery),
                      CStringGetTextDatum(index.kind == gallery_index::Kind::kHnsw ? "hnsw" : "ivf"),
                      CStringGetTextDatum(label(index.state)),
                      Int64GetDatum(static_cast<int64>(index.done)),
                      Int64GetDatum(static_cast<int64>(index.due)),
                      Int64GetDatum(static_cast<int64>(index.codes)),
                      Int64GetDatum(static_cast<int64>(index.strays)),
                      Int64GetDatum(static_cast<int64>(index.bytes)),
                      BoolGetDatum(index.from_snapshot),
                      Int64GetDatum(index.build_ms),
                      Int64GetDatum(index.answers),
                      Int64GetDatum(index.overlooked),
                      BoolGetDatum(copy->locked),
                      CStringGetTextDatum(index.fault)};
    bool nulls[lengthof(values)] = {};
    nulls[13] = index.fault[0] == '\0';
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  }
  return static_cast<Datum>(0);
}

// measure_index(institution, model, gallery, threshold, codes) → (sampled, answered, found, near, near_found)
VISAGE_FUNCTION(visage_measure_index) {
  key_ring();
  TupleDesc descriptor;
  if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
    elog(ERROR, "return type must be a row type");
  const int32 institution = PG_GETARG_INT32(0);
  const char* const model = text_to_cstring(PG_GETARG_TEXT_PP(1));
  const int32 gallery = PG_GETARG_INT32(2);
  const auto bound = gallery::distance_bound(PG_GETARG_FLOAT8(3), reference::kDefaultCodeBits, kMiss);
  const int32 codes = PG_GETARG_INT32(4);
  auto* const sampled = allocate_wiped<Sampled>(CurrentMemoryContext);
  auto* const answer = allocate_wiped<IndexAnswer>(CurrentMemoryContext);
  MemoryContext each = AllocSetContextCreate(CurrentMemoryContext, "measure_index", ALLOCSET_SMALL_SIZES);
  Recall recall = {};
  for (int32 i = 0; i < codes; ++i) {
    CHECK_FOR_INTERRUPTS();
    const MemoryContext before = MemoryContextSwitchTo(each);
    GalleryReading reading;
    bool sampled_one = false;
    if (begin_gallery_reading(institution, model, reading)) {
      sampled_one = sample(reading, gallery, bound, *sampled);
      sampled_one = end_gallery_reading(reading) && sampled_one;
    }
    if (sampled_one) {
      ++recall.sampled;
      if (ask_index(gallery, nullptr, sampled->probe, bound, *answer)) compare(*sampled, *answer, recall);
    }
    MemoryContextSwitchTo(before);
    MemoryContextReset(each);
    if (!sampled_one) break;
  }
  Datum values[] = {Int64GetDatum(recall.sampled), Int64GetDatum(recall.answered),
                    Int64GetDatum(recall.found), Int64GetDatum(recall.near),
                    Int64GetDatum(recall.near_found)};
  bool nulls[lengthof(values)] = {};
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}

}  // namespace visage::pg
