#include "pg/gallery_index_snapshot.h"

#include <sys/stat.h>
#include <unistd.h>

#include "pg/boundary.h"
#include "pg/gallery_store.h"
#include "pg/keys.h"
#include "pg/settings.h"
#include "pg/statement.h"
#include "pg/worker_transaction.h"

extern "C" {
#include "common/file_perm.h"
#include "storage/fd.h"
}

namespace visage::pg {
namespace {

// PostgreSQL's own prefix of temporary files, which base backups skip.
constexpr char kFolder[] = PG_TEMP_FILE_PREFIX "_visage_index";

Statement find_epoch = {"SELECT " VISAGE_EPOCH_COLUMNS
                        ", g.institution, g.model FROM visage.gallery g WHERE g.id = $1",
                        1,
                        {"integer"}};

struct Path {
  char name[MAXPGPATH];
  explicit Path(int32 gallery) { snprintf(name, sizeof name, "%s/%d", kFolder, gallery); }
};

}  // namespace

bool read_epoch_of(int32 gallery, gallery::Epoch& out) {
  memset(static_cast<void*>(&out), 0, sizeof out);
  bool found = false;
  begin_worker_transaction();
  const Datum arguments[] = {Int32GetDatum(gallery)};
  // The extension may have been dropped.
  const Oid schema = get_namespace_oid("visage", true);
  if (OidIsValid(schema) && OidIsValid(get_relname_relid("gallery", schema)) &&
      execute(find_epoch, arguments, nullptr, true) == 1) {
    bool is_null;
    Gallery read = {};
    read_epoch(0, DatumGetInt32(column(0, 7, &is_null)), column_text(0, 8), read);
    out = read.epoch;
    found = true;
  }
  end_worker_transaction();
  return found;
}

Status load_snapshot(const gallery_index::Library& library, gallery_index::Kind kind,
                     const gallery_index::Settings& settings, int32 gallery, const gallery::Epoch& epoch,
                     gallery_index::Follower*& out) {
  const keys::KeyRing& ring = key_ring();
  const Path path(gallery);
  return guarded([&] { return library.load(kind, settings, ring, epoch, path.name, out); });
}

Status save_snapshot(const gallery_index::Library& library, gallery_index::Follower& follower, int32 gallery,
                     const gallery::Epoch& epoch) {
  const keys::KeyRing& ring = key_ring();
  const Path path(gallery);
  if (mkdir(kFolder, S_IRWXU) != 0 && errno != EEXIST)
    return Status::error(Code::kInternal, "could not make the folder %s: error %d", kFolder, errno);
  return guarded([&] { return library.save(follower, ring, settings::suite(), epoch, path.name); });
}

void remove_snapshot(int32 gallery) {
  const Path path(gallery);
  if (unlink(path.name) != 0 && errno != ENOENT)
    ereport(LOG, (errcode_for_file_access(), errmsg("could not remove \"%s\": %m", path.name)));
}

// The names are read first: the end of a transaction closes folders.
void remove_snapshots(bool all) {
  DIR* const folder = AllocateDir(kFolder);
  if (folder == nullptr) return;
  List* names = NIL;
  while (const dirent* const entry = ReadDirExtended(folder, kFolder, LOG))
    if (entry->d_name[0] != '.') names = lappend(names, pstrdup(entry->d_name));
  FreeDir(folder);
  for (int i = 0; i < list_length(names); ++i) {
    const char* const entry = static_cast<const char*>(list_nth(names, i));
    gallery::Epoch epoch;
    // What a worker that was killed had not finished goes in any case.
    const bool whole = strspn(entry, "0123456789") == strlen(entry);
    if (!all && whole && read_epoch_of(static_cast<int32>(strtol(entry, nullptr, 10)), epoch)) continue;
    char name[2 * MAXPGPATH];
    snprintf(name, sizeof name, "%s/%s", kFolder, entry);
    if (unlink(name) != 0)
      ereport(LOG, (errcode_for_file_access(), errmsg("could not remove \"%s\": %m", name)));
  }
}

}  // namespace visage::pg
