#include <algorithm>

#include "pg/uuid_list.h"

namespace visage::pg {

void begin_list(UuidList& list) {
  list = {nullptr, 0, 0, CurrentMemoryContext};
}

void add_to_list(UuidList& list, const Uuid& item) {
  if (list.count == list.capacity) {
    list.capacity = Max(2 * list.capacity, uint64{256});
    const Size size = list.capacity * sizeof(Uuid);
    list.items = static_cast<Uuid*>(list.items == nullptr ? MemoryContextAllocHuge(list.context, size)
                                                          : repalloc_huge(list.items, size));
  }
  list.items[list.count++] = item;
}

void sort_list(UuidList& list) {
  std::sort(list.items, list.items + list.count, uuid_before);
  list.count = static_cast<uint64>(std::unique(list.items, list.items + list.count) - list.items);
}

}  // namespace visage::pg
