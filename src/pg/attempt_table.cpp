#include "pg/attempt_table.h"

#include "pg/settings.h"

namespace visage::pg::attempt_table {
namespace {

// Two lists of places. Idle ones, least recently used first, may be dropped; they equal their rows. Unsaved
// ones wait for the audit writer. A counter that is in use and equals its row is in neither.
enum List : uint8 { kIdle, kUnsaved, kListCount, kNoList = kListCount };

struct Ends {
  uint32 first, last;
};
struct Bucket {
  uint32 first;
  uint32 departures;
};
struct Table {
  uint32 size;
  uint32 used;  // places below were taken once; a dropped counter's is taken over by the next
  Ends lists[kListCount];
};

Table* table = nullptr;
Bucket* buckets = nullptr;
Entry* entries = nullptr;

// Keys are keyed hashes: any of their bytes spread evenly, and nobody else can choose them.
Bucket& bucket_of(const AttemptTarget& target) {
  uint32 number;
  memcpy(&number, target.key, sizeof number);
  return buckets[number % table->size];
}

bool is(const Entry& entry, int32 institution, const AttemptTarget& target) {
  return entry.database == MyDatabaseId && entry.institution == institution &&
         entry.target.kind == target.kind && memcmp(entry.target.key, target.key, sizeof target.key) == 0;
}

void leave_list(Entry& entry) {
  if (entry.list == kNoList) return;
  Ends& ends = table->lists[entry.list];
  (entry.previous == kNoPlace ? ends.first : entries[entry.previous].next) = entry.next;
  (entry.next == kNoPlace ? ends.last : entries[entry.next].previous) = entry.previous;
  entry.list = kNoList;
}

void join_list(uint32 place, List list) {
  Entry& entry = entries[place];
  Ends& ends = table->lists[list];
  entry.list = list;
  entry.previous = ends.last;
  entry.next = kNoPlace;
  (ends.last == kNoPlace ? ends.first : entries[ends.last].next) = place;
  ends.last = place;
}

void sort_in(uint32 place) {
  Entry& entry = entries[place];
  const List list = entry.counter.failures != entry.saved ? kUnsaved : entry.uses == 0 ? kIdle : kNoList;
  if (list == entry.list) return;
  leave_list(entry);
  if (list != kNoList) join_list(place, list);
}

void leave_bucket(uint32 place) {
  Bucket& bucket = bucket_of(entries[place].target);
  uint32* link = &bucket.first;
  while (*link != place) link = &entries[*link].next_in_bucket;
  *link = entries[place].next_in_bucket;
  ++bucket.departures;
}

}  // namespace

Size size() {
  const Size count = static_cast<Size>(settings::max_attempt_counters);
  return add_size(MAXALIGN(sizeof(Table)),
                  add_size(MAXALIGN(mul_size(count, sizeof(Bucket))), mul_size(count, sizeof(Entry))));
}

void startup() {
  bool found = false;
  table = static_cast<Table*>(ShmemInitStruct("pg_visage attempts", size(), &found));
  buckets = reinterpret_cast<Bucket*>(reinterpret_cast<char*>(table) + MAXALIGN(sizeof(Table)));
  const auto count = static_cast<uint32>(settings::max_attempt_counters);
  entries =
      reinterpret_cast<Entry*>(reinterpret_cast<char*>(buckets) + MAXALIGN(mul_size(count, sizeof(Bucket))));
  if (found) return;
  *table = {count, 0, {{kNoPlace, kNoPlace}, {kNoPlace, kNoPlace}}};
  for (uint32 i = 0; i < count; ++i) buckets[i] = {kNoPlace, 0};
}

Entry& at(uint32 place) {
  Assert(place < table->used);
  return entries[place];
}

uint32 find(int32 institution, const AttemptTarget& target) {
  uint32 place = bucket_of(target).first;
  while (place != kNoPlace && !is(entries[place], institution, target)) place = entries[place].next_in_bucket;
  return place;
}

uint32 departures(const AttemptTarget& target) {
  return bucket_of(target).departures;
}

uint32 add(int32 institution, const AttemptTarget& target, const attempt::Failures& saved) {
  uint32 place;
  if (table->used < table->size) {
    place = table->used++;
  } else {
    place = table->lists[kIdle].first;
    if (place == kNoPlace) return kNoPlace;
    leave_list(entries[place]);
    leave_bucket(place);
  }
  Bucket& bucket = bucket_of(target);
  entries[place] = {MyDatabaseId, institution, target, kNoList,    bucket.first,
                    kNoPlace,     kNoPlace,    0,      {saved, 0}, saved,
                    {},           false,       {}};
  bucket.first = place;
  sort_in(place);
  return place;
}

void use(uint32 place) {
  ++at(place).uses;
  sort_in(place);
}

void unuse(uint32 place) {
  Entry& entry = at(place);
  if (entry.uses != 0) --entry.uses;
  sort_in(place);
}

void refresh(uint32 place) {
  sort_in(place);
}

uint32 first_unsaved() {
  return table->lists[kUnsaved].first;
}

uint32 next_unsaved(uint32 place) {
  return entries[place].next;
}

}  // namespace visage::pg::attempt_table
