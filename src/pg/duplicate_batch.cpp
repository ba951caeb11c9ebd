// People who are there under two names already: all codes of a gallery against each other.   [6.2c]
//
// The codes are all that two references have in common; the references themselves, each under a rotation of
// its own, cannot be compared. So what is found here is for people to review, at a threshold of its own.
#include <sys/mman.h>

#include <algorithm>

#include "core/gallery/pairs.h"
#include "core/match/duplicate.h"
#include "pg/audit_ring.h"
#include "pg/boundary.h"
#include "pg/gallery_store.h"
#include "pg/keys.h"
#include "pg/policy.h"
#include "pg/policy_generation.h"
#include "pg/secret_memory.h"
#include "pg/settings.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

// Of codes of one epoch, as visage.calibration names it.
constexpr char kCodeScheme[] = "gallery/1024";
constexpr long kPart = 500;                    // rows fetched at once
constexpr uint64_t kStep = uint64_t{1} << 25;  // pairs a worker compares between two looks at interrupts
constexpr int kMaxWorkers = 64;
constexpr size_t kMaxPairs = 100000;  // more are no list that anybody reviews

Statement count_codes = {
    "SELECT count(*) FROM visage.gallery_code c JOIN visage.gallery g ON g.id = c.gallery "
    "WHERE g.institution = $1 AND g.model = $2",
    2,
    {"integer", "text"}};
Statement scan_codes = {
    "SELECT " VISAGE_EPOCH_COLUMNS
    ", c.subject, k.wrapped, "
    "c.reference, c.generation, c.code FROM visage.gallery_code c JOIN visage.gallery g ON g.id = c.gallery "
    "JOIN visage.subject_key k ON k.subject = c.subject WHERE g.institution = $1 AND g.model = $2 "
    "ORDER BY g.id",
    2,
    {"integer", "text"}};

// All codes in clear, those of one epoch one after another.
struct Codes {
  void* memory;  // locked, and left out of core dumps
  size_t size;
  uint32_t count;
  uint32_t unopened;
  gallery::SignCode* codes;
  Uuid* subjects;
  int32* galleries;
};

void unmap(void* argument) {
  auto* codes = static_cast<Codes*>(argument);
  if (codes->memory == nullptr) return;
  wipe(codes->memory, codes->size);
  munmap(codes->memory, codes->size);
  codes->memory = nullptr;
}

Codes* make_room(int64 count) {
  auto* codes = static_cast<Codes*>(palloc0(sizeof(Codes)));
  auto* callback = static_cast<MemoryContextCallback*>(palloc0(sizeof(MemoryContextCallback)));
  callback->func = unmap;
  callback->arg = codes;
  MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
  const auto rows = static_cast<size_t>(count);
  codes->subjects =
      static_cast<Uuid*>(MemoryContextAllocHuge(CurrentMemoryContext, (rows + 1) * sizeof(Uuid)));
  codes->galleries =
      static_cast<int32*>(MemoryContextAllocHuge(CurrentMemoryContext, (rows + 1) * sizeof(int32)));
  if (rows == 0) return codes;
  const size_t size = rows * sizeof(gallery::SignCode);
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("could not map memory for codes: %m")));
  codes->memory = memory;
  codes->size = size;
  if ((settings::gallery_memory_locked && mlock(memory, size) != 0) ||
      madvise(memory, size, MADV_DONTDUMP) != 0)
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_RESOURCES),
             errmsg("could not protect memory for %lld codes: %m", static_cast<long long>(count)),
             errhint("Raise the locked-memory limit of the server: LimitMEMLOCK= in its systemd unit, or "
                     "ulimit -l; each code takes 128 bytes.")));
  codes->codes = static_cast<gallery::SignCode*>(memory);
  return codes;
}

struct CodeRow {
  gallery::CodeOwner of;
  Bytes wrapped;
  Bytes sealed;
};

Status open_row(const Gallery& gallery, const gallery::EpochMasks& masks, const CodeRow& row,
                gallery::SignCode& out) {
  return guarded([&]() -> Status {
    Secret<keys::SubjectKey> key;
    VISAGE_TRY(keys::unwrap_subject_key(engine(), key_ring(), row.of.owner, row.wrapped, key.value));
    return gallery::open_code(engine(), key_ring(), key.value, gallery.epoch, masks, row.of, row.sealed, out);
  });
}

// As committed before the statement; who registers meanwhile is looked for by the registration itself.
void load_codes(int32 institution, const text* model, int64 most, Codes& out) {
  auto* const masks = allocate_wiped<gallery::EpochMasks>(CurrentMemoryContext);
  const Datum arguments[] = {Int32GetDatum(institution), PointerGetDatum(model)};
  Gallery gallery = {};
  bool usable = false;
  Portal cursor = open_cursor(scan_codes, arguments);
  for (;;) {
    CHECK_FOR_INTERRUPTS();
    SPI_cursor_fetch(cursor, true, kPart);
    const uint64 rows = SPI_processed;
    for (uint64 i = 0; i < rows && out.count < most; ++i) {
      bool is_null;
      const int32 id = DatumGetInt32(column(i, 1, &is_null));
      if (!gallery.open || gallery.id != id) {
        read_epoch(i, institution, {VARDATA_ANY(model), VARSIZE_ANY_EXHDR(model)}, gallery);
        const Status status =
            guarded([&] { return gallery::derive_masks(engine(), key_ring(), gallery.epoch, *masks); });
        usable = status.ok();
        if (!usable)
          ereport(WARNING,
                  (errmsg("epoch %u of the gallery is left out: %s", gallery.epoch.number, status.message)));
      }
      CodeRow row = {};
      row.of.owner = {static_cast<uint32_t>(institution), column_uuid(i, 7)};
      row.wrapped = column_bytes(i, 8);
      row.of.reference = column_uuid(i, 9);
      row.of.generation = static_cast<uint32_t>(DatumGetInt32(column(i, 10, &is_null)));
      row.sealed = column_bytes(i, 11);
      if (!usable || !open_row(gallery, *masks, row, out.codes[out.count]).ok()) {
        ++out.unopened;
        continue;
      }
      out.subjects[out.count] = row.of.owner.subject;
      out.galleries[out.count++] = id;
    }
    SPI_freetuptable(SPI_tuptable);
    if (rows == 0) break;
  }
  SPI_cursor_close(cursor);
}

double code_threshold(int32 institution, const text* model, double fpir, uint32_t count) {
  const double fmr = match::search_fmr(fpir, count - 1);
  double threshold;
  if (!find_threshold(institution, text_to_cstring(model), kCodeScheme, fmr, threshold))
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("no threshold was measured for %u codes of model \"%s\" at an FPIR of %g", count,
                           text_to_cstring(model), fpir),
                    errdetail("Each comparison would have to keep a false match rate of %g.", fmr),
                    errhint("visage.calibration has what was measured, in scheme \"%s\". Ask for a higher "
                            "rate, or keep smaller galleries.",
                            kCodeScheme)));
  return threshold;
}

struct Found {
  size_t count;
  gallery::Pair* pairs;
};

void too_many(double fpir) {
  ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                  errmsg("more than %zu pairs of codes are near each other", kMaxPairs),
                  errhint("Ask for a lower rate than %g.", fpir)));
}

// One epoch's codes, from `first` on. Places in the pairs count from the first code of all.
void search_epoch(const Codes& codes, uint32_t first, uint32_t count, uint32_t bound, int workers,
                  double fpir, Found& out) {
  const gallery::PairSearch search = {&gallery::best_kernels(), codes.codes[first].words, count, bound};
  Slot& progress = slot_at(own_place());
  const int64 before = progress.progress_done;
  for (uint32_t row = 0; row < count;) {
    CHECK_FOR_INTERRUPTS();
    const uint32_t next = gallery::row_after(search, row, kStep, static_cast<unsigned>(workers));
    gallery::Pair* const begin = out.pairs + out.count;
    size_t found = 0;
    raise_unless_ok(guarded([&] {
                      return gallery::find_pairs(search, row, next, static_cast<unsigned>(workers), begin,
                                                 kMaxPairs - out.count, found);
                    }),
                    "cannot compare codes");
    if (found > kMaxPairs - out.count) too_many(fpir);
    // Several references of one person are near each other, as they should be.
    gallery::Pair* const end = std::remove_if(begin, begin + found, [&](const gallery::Pair& pair) {
      return codes.subjects[first + pair.a] == codes.subjects[first + pair.b];
    });
    for (gallery::Pair* pair = begin; pair != end; ++pair) pair->a += first, pair->b += first;
    out.count = static_cast<size_t>(end - out.pairs);
    row = next;
    progress.progress_done = before + static_cast<int64>(gallery::pairs_before(search, row));
  }
}

// Calls `take` with the first code and the number of codes of each epoch.
template <typename Take>
void for_each_epoch(const Codes& codes, Take take) {
  for (uint32_t first = 0; first < codes.count;) {
    const int32* const end =
        std::upper_bound(codes.galleries + first, codes.galleries + codes.count, codes.galleries[first]);
    const auto next = static_cast<uint32_t>(end - codes.galleries);
    take(first, next - first);
    first = next;
  }
}

}  // namespace

// near_pairs(institution, model, fpir, workers) → a, b: subjects, each pair of codes once, the nearest first
VISAGE_FUNCTION(visage_near_pairs) {
  const int32 institution = PG_GETARG_INT32(0);
  const text* model = PG_GETARG_TEXT_PP(1);
  const double fpir = PG_GETARG_FLOAT8(2);
  const int workers = PG_GETARG_INT32(3);
  if (!(fpir > 0 && fpir < 1) || workers < 1 || workers > kMaxWorkers)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("an FPIR lies between 0 and 1, and 1 to %d workers are allowed", kMaxWorkers)));
  key_ring();
  InitMaterializedSRF(fcinfo, 0);
  const auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  SPI_connect();
  const Datum arguments[] = {Int32GetDatum(institution), PointerGetDatum(model)};
  execute(count_codes, arguments, nullptr, true);
  bool is_null;
  const int64 count = DatumGetInt64(column(0, 1, &is_null));
  SPI_freetuptable(SPI_tuptable);
  if (count > PG_INT32_MAX) elog(ERROR, "more codes than a gallery has places");
  Codes& codes = *make_room(count);
  load_codes(institution, model, count, codes);
  engine().forget_keys();
  if (codes.unopened > 0)
    ereport(WARNING, (errmsg("%u codes do not open and were not compared", codes.unopened),
                      errhint("SELECT * FROM visage.integrity() lists them.")));
  // Fewer make no pair.
  const uint32_t bound =
      codes.count < 2 ? 0 : gallery::distance_at(code_threshold(institution, model, fpir, codes.count));
  Found found = {0, static_cast<gallery::Pair*>(MemoryContextAllocHuge(
                        CurrentMemoryContext, (kMaxPairs + 1) * sizeof(gallery::Pair)))};
  Slot& progress = slot_at(own_place());
  int64 total = 0;
  for_each_epoch(codes, [&](uint32_t, uint32_t size) { total += int64{size} * (int64{size} - 1) / 2; });
  progress.begin_progress(ProgressOf::kDuplicates, total);
  for_each_epoch(codes, [&](uint32_t first, uint32_t size) {
    search_epoch(codes, first, size, bound, workers, fpir, found);
  });
  progress.progress_total = 0;
  std::sort(found.pairs, found.pairs + found.count,
            [](const gallery::Pair& x, const gallery::Pair& y) { return gallery::nearer(x, y); });
  for (size_t i = 0; i < found.count; ++i) {
    Datum values[] = {uuid_datum(codes.subjects[found.pairs[i].a]),
                      uuid_datum(codes.subjects[found.pairs[i].b])};
    bool nulls[lengthof(values)] = {};
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  }
  unmap(&codes);
  SPI_finish();
  return 0;
}

// duplicate_progress() → pid, done, total
VISAGE_FUNCTION(visage_duplicate_progress) {
  return put_progress(fcinfo, ProgressOf::kDuplicates);
}

}  // namespace visage::pg
