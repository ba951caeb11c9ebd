#include "pg/gallery_fill.h"

#include <algorithm>

#include "core/base/secret.h"
#include "core/gallery/place_index.h"
#include "pg/boundary.h"
#include "pg/keys.h"
#include "pg/secret_memory.h"
#include "pg/statement.h"

extern "C" {
#include "catalog/pg_type.h"
}

namespace visage::pg {
namespace {

constexpr long kPart = 500;  // rows fetched at once

// Of each model the newest epochs come first. A closed one stays as long as it has codes.
Statement find_galleries = {"SELECT " VISAGE_EPOCH_COLUMNS
                            ", g.institution, g.model FROM visage.gallery g WHERE g.closed_at IS NULL "
                            "OR EXISTS (SELECT FROM visage.gallery_code c WHERE c.gallery = g.id) "
                            "ORDER BY g.institution, g.model, g.epoch DESC",
                            0,
                            {}};
Statement count_references = {
    "SELECT count(*) FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject "
    "WHERE s.institution = $1 AND r.model = $2",
    2,
    {"integer", "text"}};
#define VISAGE_CODED_REFERENCES                                                                          \
  "SELECT r.id, r.generation, r.subject, k.wrapped, c.gallery, c.code, s.institution, r.model "          \
  "FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject "                           \
  "JOIN visage.subject_key k ON k.subject = r.subject LEFT JOIN visage.gallery_code c ON c.reference = " \
  "r.id "
Statement read_all = {
    VISAGE_CODED_REFERENCES "WHERE s.institution = $1 AND r.model = $2", 2, {"integer", "text"}};
Statement read_some = {VISAGE_CODED_REFERENCES "WHERE r.id = ANY ($1)", 1, {"uuid[]"}};

const gallery::EpochMasks* masks_of(WorkerGallery& gallery, int epoch) {
  gallery::EpochMasks*& masks = gallery.masks[epoch];
  if (masks == nullptr) {
    const keys::KeyRing& ring = key_ring();
    const gallery::Epoch& of = gallery.epochs[epoch].epoch;
    // Asked for each row, so there must be nothing allocated yet.
    const keys::Root* root;
    if (!keys::find_root(ring.transform, of.transform_version, "transform", root).ok()) {
      gallery.key_missing = true;
      return nullptr;
    }
    auto* const derived = allocate_wiped<gallery::EpochMasks>(TopTransactionContext);
    raise_unless_ok(guarded([&] { return gallery::derive_masks(engine(), ring, of, *derived); }),
                    "cannot open a gallery");
    masks = derived;
  }
  return masks;
}

void give_up(WorkerGallery& gallery, int number, Room room, uint64 next_publication) {
  const int saved_errno = errno;
  retire_gallery(number, next_publication);
  gallery.to_load = false;
  gallery.state = room == Room::kOverLimit ? GalleryState::kOverLimit : GalleryState::kNotLocked;
  const bool told = gallery.told == gallery.state;
  gallery.told = gallery.state;
  if (room == Room::kOverLimit) {
    if (!told)
      ereport(LOG,
              (errmsg("the gallery of institution %d, model \"%s\" does not fit into visage.gallery_memory",
                      gallery.name.institution, gallery.name.model),
               errdetail("It is searched in its table, which takes microseconds a reference."),
               errhint("Raise visage.gallery_memory, at 152 MB a million references, and restart.")));
    return;
  }
  errno = saved_errno;
  if (!told)
    ereport(LOG,
            (errmsg("the memory of the gallery of institution %d, model \"%s\" could not be locked: %m",
                    gallery.name.institution, gallery.name.model),
             errdetail("It is searched in its table, which takes microseconds a reference."),
             errhint("Raise the locked-memory limit of the server: LimitMEMLOCK= in its systemd unit, or "
                     "ulimit -l, by visage.gallery_memory; or, where swap is off or encrypted, set "
                     "visage.gallery_memory_locked = off.")));
}

// Row `row` of SPI_tuptable into its gallery. False: it does not fit, and the gallery was given up.
bool take_row(WorkerGallery& gallery, int number, uint64 row, uint64 next_publication) {
  bool is_null;
  const Uuid reference = column_uuid(row, 1);
  const auto generation = static_cast<uint32_t>(DatumGetInt32(column(row, 2, &is_null)));
  const keys::Owner owner = {static_cast<uint32_t>(gallery.name.institution), column_uuid(row, 3)};
  const int32 epoch_id = DatumGetInt32(column(row, 5, &is_null));
  int epoch = 0;
  const gallery::EpochMasks* masks = nullptr;
  if (!is_null) {
    while (epoch < gallery.epoch_count && gallery.epochs[epoch].id != epoch_id) ++epoch;
    if (epoch < gallery.epoch_count) masks = masks_of(gallery, epoch);
  }
  const uint32 before = place_of(reference);
  const bool here = before != gallery::kNoPlace && gallery_of(before) == number;
  uint32 place = gallery::kNoPlace;
  if (masks != nullptr) {
    const Bytes wrapped = column_bytes(row, 4), sealed = column_bytes(row, 6);
    const Room room = reserve_place(number, epoch + 1, place);
    if (room != Room::kFound) {
      give_up(gallery, number, room, next_publication);
      return false;
    }
    // Straight into its place: nowhere else is there a code in clear.
    const Status status = guarded([&]() -> Status {
      Secret<keys::SubjectKey> key;
      VISAGE_TRY(keys::unwrap_subject_key(engine(), key_ring(), owner, wrapped, key.value));
      return gallery::open_code(engine(), key_ring(), key.value, gallery.epochs[epoch].epoch, *masks,
                                {owner, reference, generation}, sealed, code_at(place));
    });
    const bool same = status.ok() && here && chain_of(before) == epoch + 1 &&
                      memcmp(&code_at(before), &code_at(place), sizeof(gallery::SignCode)) == 0;
    if (!status.ok() || same) give_back_place(place);
    if (same) return true;
    if (!status.ok()) {
      ++gallery.unopened;
      place = gallery::kNoPlace;
    }
  }
  if (place == gallery::kNoPlace) {
    if (here && chain_of(before) == 0) return true;
    const Room room = reserve_place(number, 0, place);
    if (room != Room::kFound) {
      give_up(gallery, number, room, next_publication);
      return false;
    }
  }
  keep_place(place, reference, next_publication);
  return true;
}

int find_gallery_number(const WorkerGallery* galleries, int count, int32 institution, const char* model) {
  for (int i = 0; i < count; ++i)
    if (galleries[i].used && galleries[i].name.institution == institution &&
        strcmp(galleries[i].name.model, model) == 0)
      return i;
  return -1;
}

// Chains as the epochs are, without a code in them.
void make_chains(const WorkerGallery& gallery, int number) {
  add_chain(number, 0);
  for (int i = 0; i < gallery.epoch_count; ++i) add_chain(number, gallery.epochs[i].id);
}

// Rows of one gallery, newest epoch first, against what there is of it.
void update_epochs(WorkerGallery& gallery, int number, const Gallery* epochs, int count) {
  gallery.wanted = true;
  bool same = true;
  for (int i = 0; i < count; ++i) {
    int known = 0;
    while (known < gallery.epoch_count && gallery.epochs[known].id != epochs[i].id) ++known;
    if (known < gallery.epoch_count) continue;
    if (gallery.epoch_count == kMaxEpochs || chains_of(number).count == 0) {
      same = false;
      break;
    }
    gallery.epochs[gallery.epoch_count++] = epochs[i];
    add_chain(number, epochs[i].id);
  }
  if (same) return;
  memcpy(static_cast<void*>(gallery.epochs), epochs, sizeof *epochs * static_cast<Size>(count));
  gallery.epoch_count = count;
  gallery.to_load = true;
}

}  // namespace

void begin_filling(WorkerGallery* galleries, int count) {
  for (int i = 0; i < count; ++i) memset(galleries[i].masks, 0, sizeof galleries[i].masks);
}

int read_galleries(WorkerGallery* galleries, int count) {
  for (int i = 0; i < count; ++i) galleries[i].wanted = false;
  const uint64 rows = execute(find_galleries, nullptr, nullptr, true);
  for (uint64 row = 0; row < rows;) {
    bool is_null;
    GalleryName name = {};
    name.institution = DatumGetInt32(column(row, 7, &is_null));
    strlcpy(name.model, column_text(row, 8), sizeof name.model);
    Gallery epochs[kMaxEpochs] = {};
    int epoch_count = 0;
    for (; row < rows && DatumGetInt32(column(row, 7, &is_null)) == name.institution &&
           strcmp(column_text(row, 8), name.model) == 0;
         ++row)
      if (epoch_count < kMaxEpochs) read_epoch(row, name.institution, name.model, epochs[epoch_count++]);
    int number = find_gallery_number(galleries, count, name.institution, name.model);
    if (number < 0) {
      number = 0;
      while (number < count && galleries[number].used) ++number;
      if (number == kMaxGalleries) continue;  // it is searched in its table
      count = Max(count, number + 1);
      WorkerGallery& made = galleries[number];
      memset(static_cast<void*>(&made), 0, sizeof made);
      made.used = true;
      made.name = name;
    }
    update_epochs(galleries[number], number, epochs, epoch_count);
  }
  SPI_freetuptable(SPI_tuptable);
  return count;
}

void load_gallery(WorkerGallery& gallery, int number, uint64 next_publication, void (*tell)(int number)) {
  if (chains_of(number).count > 0) retire_gallery(number, next_publication);
  const Datum arguments[] = {Int32GetDatum(gallery.name.institution),
                             CStringGetTextDatum(gallery.name.model)};
  execute(count_references, arguments, nullptr, true);
  bool is_null;
  gallery.due = DatumGetInt64(column(0, 1, &is_null));
  SPI_freetuptable(SPI_tuptable);
  gallery.done = 0;
  gallery.unopened = 0;
  gallery.key_missing = false;
  tell(number);
  if (static_cast<uint64>(gallery.due) / kBlockPlaces >= free_blocks()) {
    give_up(gallery, number, Room::kOverLimit, next_publication);
    return;
  }
  gallery.state = GalleryState::kFilling;
  make_chains(gallery, number);
  tell(number);
  Portal cursor = open_cursor(read_all, arguments);
  for (bool fits = true; fits;) {
    CHECK_FOR_INTERRUPTS();
    SPI_cursor_fetch(cursor, true, kPart);
    const uint64 rows = SPI_processed;
    for (uint64 row = 0; row < rows && fits; ++row) fits = take_row(gallery, number, row, next_publication);
    SPI_freetuptable(SPI_tuptable);
    if (!fits || rows == 0) break;
    gallery.done += static_cast<int64>(rows);
    tell(number);
  }
  SPI_cursor_close(cursor);
  if (gallery.state != GalleryState::kFilling) return;
  gallery.state = gallery.told = GalleryState::kServing;
  gallery.to_load = false;
  if (gallery.unopened > 0)
    ereport(LOG, (errmsg("%llu codes of the gallery of institution %d, model \"%s\" do not open",
                         static_cast<unsigned long long>(gallery.unopened), gallery.name.institution,
                         gallery.name.model),
                  errdetail("Their references are compared one by one in each search."),
                  errhint("SELECT * FROM visage.integrity() lists them.")));
}

void refresh_references(WorkerGallery* galleries, int count, const UuidList& references,
                        uint64 next_publication) {
  for (uint64 first = 0; first < references.count; first += kPart) {
    CHECK_FOR_INTERRUPTS();
    const Uuid* const begin = references.items + first;
    const int part = static_cast<int>(Min(static_cast<uint64>(kPart), references.count - first));
    Datum ids[kPart];
    bool found[kPart] = {};
    for (int i = 0; i < part; ++i) ids[i] = uuid_datum(begin[i]);
    ArrayType* const array = construct_array(ids, part, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR);
    const Datum arguments[] = {PointerGetDatum(array)};
    const uint64 rows = execute(read_some, arguments, nullptr, true);
    for (uint64 row = 0; row < rows; ++row) {
      bool is_null;
      const int32 institution = DatumGetInt32(column(row, 7, &is_null));
      const int number = find_gallery_number(galleries, count, institution, column_text(row, 8));
      if (number < 0 || galleries[number].to_load || galleries[number].state != GalleryState::kServing)
        continue;
      (void)take_row(galleries[number], number, row, next_publication);
      const Uuid reference = column_uuid(row, 1);
      found[std::lower_bound(begin, begin + part, reference, uuid_before) - begin] = true;
    }
    SPI_freetuptable(SPI_tuptable);
    pfree(array);
    for (int i = 0; i < part; ++i) {
      if (found[i]) continue;
      const uint32 place = place_of(begin[i]);
      if (place != gallery::kNoPlace) retire_place(place, next_publication);
    }
  }
}

}  // namespace visage::pg
