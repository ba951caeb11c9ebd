#include "pg/secret_memory.h"

#include <sys/mman.h>

#include "core/base/secret.h"

namespace visage::pg {
namespace {

// Two for a comparison of two probes, a few for functions that keep one open across rows.
constexpr int kPlaces = 8;

struct Place {
  probe::Contents contents;
  bool in_use;
};

Place* places = nullptr;

void release(void* argument) {
  auto* place = static_cast<Place*>(argument);
  wipe(place, sizeof *place);
}

void map_places() {
  void* memory =
      mmap(nullptr, kPlaces * sizeof(Place), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("could not map memory for probes: %m")));
  if (mlock(memory, kPlaces * sizeof(Place)) != 0 ||
      madvise(memory, kPlaces * sizeof(Place), MADV_DONTDUMP) != 0) {
    const int saved_errno = errno;
    munmap(memory, kPlaces * sizeof(Place));
    errno = saved_errno;
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_RESOURCES), errmsg("could not protect memory for probes: %m"),
             errhint("Raise the locked-memory limit of the server: LimitMEMLOCK= in its systemd unit, or "
                     "ulimit -l; each backend locks about 100 kB.")));
  }
  places = static_cast<Place*>(memory);
}

}  // namespace

probe::Contents* allocate_contents(MemoryContext context) {
  if (places == nullptr) map_places();
  for (int i = 0; i < kPlaces; ++i) {
    Place* place = &places[i];
    if (place->in_use) continue;
    auto* callback =
        static_cast<MemoryContextCallback*>(MemoryContextAllocZero(context, sizeof(MemoryContextCallback)));
    callback->func = release;
    callback->arg = place;
    MemoryContextRegisterResetCallback(context, callback);
    place->in_use = true;
    return &place->contents;
  }
  ereport(ERROR,
          (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED), errmsg("too many open probes in one statement")));
  pg_unreachable();
}

}  // namespace visage::pg
