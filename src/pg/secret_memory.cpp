#include "pg/secret_memory.h"

#include <sys/mman.h>

#include "core/base/secret.h"

namespace visage::pg {
namespace {

// Two for a comparison of two probes, a few for functions that keep one open across rows.
constexpr int kPlaces = 8;

struct Place {
  probe::Contents contents;
  uint64 ticket;  // of the allocation that holds it; 0 when free
};

// What a memory context gives back when it ends, unless it was released, and perhaps taken again, before.
struct Holding {
  MemoryContextCallback callback;
  Place* place;
  uint64 ticket;
};

Place* places = nullptr;
uint64 last_ticket = 0;

void end_of_context(void* argument) {
  auto* holding = static_cast<Holding*>(argument);
  if (holding->place->ticket == holding->ticket) wipe(holding->place, sizeof *holding->place);
}

struct Wiped {
  MemoryContextCallback callback;
  void* memory;
  Size size;
};

void wipe_at_end(void* argument) {
  const auto* wiped = static_cast<Wiped*>(argument);
  wipe(wiped->memory, wiped->size);
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
    if (place->ticket != 0) continue;
    auto* holding = static_cast<Holding*>(MemoryContextAllocZero(context, sizeof(Holding)));
    holding->place = place;
    holding->ticket = ++last_ticket;
    holding->callback.func = end_of_context;
    holding->callback.arg = holding;
    MemoryContextRegisterResetCallback(context, &holding->callback);
    place->ticket = holding->ticket;
    return &place->contents;
  }
  ereport(ERROR,
          (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED), errmsg("too many open probes in one statement")));
  pg_unreachable();
}

void release_contents(probe::Contents* contents) {
  static_assert(offsetof(Place, contents) == 0);
  wipe(contents, sizeof(Place));
}

void* allocate_wiped(MemoryContext context, Size size) {
  auto* const wiped = static_cast<Wiped*>(MemoryContextAllocZero(context, sizeof(Wiped)));
  wiped->memory = MemoryContextAllocZero(context, size);
  wiped->size = size;
  wiped->callback.func = wipe_at_end;
  wiped->callback.arg = wiped;
  MemoryContextRegisterResetCallback(context, &wiped->callback);
  return wiped->memory;
}

}  // namespace visage::pg
