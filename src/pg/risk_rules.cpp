#include "pg/risk_rules.h"

#include <algorithm>

#include "pg/attempt.h"
#include "pg/boundary.h"
#include "pg/clock.h"
#include "pg/context.h"
#include "pg/policy_generation.h"
#include "pg/statement.h"

extern "C" {
#include "pgtime.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/inet.h"
}

namespace visage::pg {
namespace {

#define VISAGE_MINUTES(column) "(extract(epoch FROM " column ") / 60)::integer"
#define VISAGE_WEEKDAYS \
  "coalesce((SELECT bit_or(1 << (d - 1)) FROM unnest(r.weekdays) d), 127)::integer, r.time_zone"
#define VISAGE_RULES                                                                                     \
  "SELECT r.id, r.version, r.signal::text, r.action::text, coalesce(r.factors, 0)::integer, r.outside, " \
  "r.when_missing, r.operation::text, r.channel, r.scenario, r.addresses, r.names, r.macs, "             \
  "r.at_least, (extract(epoch FROM r.period) * 1000000)::bigint, " VISAGE_MINUTES(                       \
      "r.from_time") ", " VISAGE_MINUTES("r.until_time") ", " VISAGE_WEEKDAYS " FROM "
#define VISAGE_ENTRIES                                                                                \
  "SELECT r.id, r.version, r.kind::text, r.address, r.hash, coalesce(r.country, r.place, r.device), " \
  "r.mac, r.expires_at, " VISAGE_MINUTES("r.from_time") ", " VISAGE_MINUTES(                          \
      "r.until_time") ", " VISAGE_WEEKDAYS " FROM "

Statement find_rules = {VISAGE_RULES
                        "visage.risk_rule r WHERE r.institution = $1 AND r.enabled ORDER BY r.priority, r.id",
                        1,
                        {"integer"}};
Statement find_entries = {VISAGE_ENTRIES
                          "visage.deny_list r WHERE r.institution = $1 AND (r.expires_at IS NULL OR "
                          "r.expires_at > clock_timestamp()) ORDER BY r.id",
                          1,
                          {"integer"}};
Statement read_rules = {VISAGE_RULES
                        "jsonb_populate_recordset(NULL::visage.risk_rule, $1) r WHERE r.enabled ORDER BY "
                        "r.priority, r.id",
                        1,
                        {"jsonb"}};
Statement read_entries = {
    VISAGE_ENTRIES "jsonb_populate_recordset(NULL::visage.deny_list, $1) r ORDER BY r.id", 1, {"jsonb"}};

// Columns of both from the window's first on.
constexpr int kRuleWindow = 16;
constexpr int kEntryWindow = 9;

template <typename T>
T* allocate(size_t count) {
  return static_cast<T*>(MemoryContextAllocHuge(CurrentMemoryContext, Max(count, 1) * sizeof(T)));
}

int32 integer(uint64 row, int number) {
  bool is_null;
  const Datum value = column(row, number, &is_null);
  return is_null ? 0 : DatumGetInt32(value);
}

bool boolean(uint64 row, int number) {
  bool is_null;
  return DatumGetBool(column(row, number, &is_null));
}

std::string_view copy_text(Datum value) {
  const struct varlena* text = PG_DETOAST_DATUM_PACKED(value);
  const size_t size = VARSIZE_ANY_EXHDR(text);
  char* bytes = allocate<char>(size);
  memcpy(bytes, VARDATA_ANY(text), size);
  return {bytes, size};
}

std::string_view text_view(uint64 row, int number) {
  bool is_null;
  const Datum value = column(row, number, &is_null);
  return is_null ? std::string_view{} : copy_text(value);
}

struct Elements {
  Datum* values;
  int count;
};

Elements elements(uint64 row, int number, Oid type, int16 length, bool by_value, char alignment) {
  bool is_null;
  const Datum value = column(row, number, &is_null);
  Elements out = {nullptr, 0};
  if (!is_null)
    deconstruct_array(DatumGetArrayTypeP(value), type, length, by_value, alignment, &out.values, nullptr,
                      &out.count);
  return out;
}

risk::Range range_of(Datum value, uint32 entry, int64 expires_at) {
  const inet* network = DatumGetInetPP(value);
  risk::Range range = {};
  risk::make_range({ip_addr(network), static_cast<size_t>(ip_addrsize(network))}, ip_bits(network), range);
  range.entry = entry;
  range.expires_at = expires_at;
  return range;
}

std::span<const risk::Range> segments_of(const risk::Range* ranges, size_t count) {
  auto* out = allocate<risk::Range>(2 * count);
  size_t size = 0;
  raise_unless_ok(guarded([&] {
                    return risk::cut_segments({ranges, count}, {out, 2 * count}, size);
                  }),
                  "cannot read the address ranges of risk rules");
  return {out, size};
}

risk::Hash device_hash(int32 institution, std::string_view device) {
  risk::Hash hash;
  memcpy(hash.bytes, attempt_target(keys::HashedKind::kDevice, institution, as_bytes(device)).key,
         sizeof hash.bytes);
  return hash;
}

uint16 zone_number(LoadedRules& rules, uint64 row, int number) {
  bool is_null;
  const Datum value = column(row, number, &is_null);
  if (is_null) return 0;
  const char* name = TextDatumGetCString(value);
  pg_tz* zone = find_time_zone(name);
  if (zone == nullptr)
    ereport(
        ERROR,
        (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
         errmsg("a risk rule or deny-list names the time zone \"%s\", which the server does not know", name),
         errhint("Change the rule, or give the server its time zone data back.")));
  for (int i = 1; i < rules.zone_count; ++i)
    if (rules.zones[i] == zone) return static_cast<uint16>(i);
  rules.zones[rules.zone_count] = zone;
  return static_cast<uint16>(rules.zone_count++);
}

// `first` is the column of from_time.
risk::Window window(uint64 row, int first) {
  return {static_cast<int16>(integer(row, first) % risk::kMinutesPerDay),
          static_cast<int16>(integer(row, first + 1) % risk::kMinutesPerDay),
          static_cast<uint8>(integer(row, first + 2))};
}

void read_sets(int32 institution, uint64 row, risk::Rule& rule) {
  const Elements addresses = elements(row, 11, INETOID, -1, false, TYPALIGN_INT);
  if (addresses.count > 0) {
    auto* ranges = allocate<risk::Range>(addresses.count);
    for (int i = 0; i < addresses.count; ++i) ranges[i] = range_of(addresses.values[i], 0, risk::kForEver);
    rule.addresses = segments_of(ranges, addresses.count);
  }
  const Elements names = elements(row, 12, TEXTOID, -1, false, TYPALIGN_INT);
  auto* views = allocate<std::string_view>(names.count);
  for (int i = 0; i < names.count; ++i) views[i] = copy_text(names.values[i]);
  if (rule.signal == risk::Signal::kDevice) {
    auto* hashes = allocate<risk::Hash>(names.count);
    for (int i = 0; i < names.count; ++i) hashes[i] = device_hash(institution, views[i]);
    std::sort(hashes, hashes + names.count);
    rule.devices = {hashes, static_cast<size_t>(names.count)};
  } else {
    std::sort(views, views + names.count);
    rule.names = {views, static_cast<size_t>(names.count)};
  }
  const Elements macs = elements(row, 13, MACADDROID, 6, false, TYPALIGN_INT);
  auto* numbers = allocate<uint64>(macs.count);
  for (int i = 0; i < macs.count; ++i) numbers[i] = parse_mac(DatumGetMacaddrP(macs.values[i]));
  std::sort(numbers, numbers + macs.count);
  rule.macs = {numbers, static_cast<size_t>(macs.count)};
}

risk::Rule read_rule(int32 institution, uint64 row, LoadedRules& out) {
  risk::Rule rule = {};
  rule.id = static_cast<uint32>(integer(row, 1));
  rule.version = static_cast<uint32>(integer(row, 2));
  if (!risk::find_signal(column_text(row, 3), rule.signal) ||
      !risk::find_action(column_text(row, 4), rule.action))
    elog(ERROR, "risk rule %u has an unknown signal or action", rule.id);
  rule.factors = static_cast<uint8>(integer(row, 5));
  rule.outside = boolean(row, 6);
  rule.when_missing = boolean(row, 7);
  rule.operation = text_view(row, 8);
  rule.channel = text_view(row, 9);
  rule.scenario = text_view(row, 10);
  read_sets(institution, row, rule);
  bool is_null;
  const Datum at_least = column(row, 14, &is_null);
  rule.at_least = is_null ? 0 : DatumGetFloat8(at_least);
  const Datum period = column(row, 15, &is_null);
  rule.period = is_null ? 0 : DatumGetInt64(period);
  rule.window = window(row, kRuleWindow);
  rule.zone = zone_number(out, row, kRuleWindow + 3);
  if (risk::needs_past(rule.signal)) {
    out.looks_back = true;
    out.longest_period = Max(out.longest_period, rule.period);
  }
  return rule;
}

// Lists in the making; each has room for all entries.
struct Lists {
  risk::EntryName* names;
  risk::Range* addresses;
  risk::Listed<risk::Hash>* address_hashes;
  risk::Listed<risk::Hash>* devices;
  risk::Listed<std::string_view>* countries;
  risk::Listed<std::string_view>* places;
  risk::Listed<uint64>* macs;
  risk::ListedWindow* hours;
  size_t counts[7];
};

template <typename Value>
std::span<const risk::Listed<Value>> sorted(risk::Listed<Value>* list, size_t count) {
  // Of equal values the one that expires last is found first.
  std::sort(list, list + count, [](const auto& a, const auto& b) {
    return a.value != b.value ? a.value < b.value : a.expires_at > b.expires_at;
  });
  return {list, count};
}

risk::Hash hash_column(uint64 row, int number) {
  const Bytes bytes = column_bytes(row, number);
  risk::Hash hash = {};
  memcpy(hash.bytes, bytes.data(), Min(bytes.size(), sizeof hash.bytes));
  return hash;
}

void read_entry(int32 institution, uint64 row, LoadedRules& rules, Lists& lists) {
  const auto entry = static_cast<uint32>(row);
  lists.names[row] = {static_cast<uint32>(integer(row, 1)), static_cast<uint32>(integer(row, 2))};
  const std::string_view kind = column_text(row, 3);
  bool is_null;
  const Datum expiry = column(row, 8, &is_null);
  const int64 expires_at = is_null || TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(expiry))
                               ? risk::kForEver
                               : to_unix(DatumGetTimestampTz(expiry));
  const bool hashed = !column_is_null(row, 5);
  if (kind == "address" && hashed) {
    lists.address_hashes[lists.counts[1]++] = {hash_column(row, 5), expires_at, entry};
  } else if (kind == "address") {
    lists.addresses[lists.counts[0]++] = range_of(column(row, 4, &is_null), entry, expires_at);
  } else if (kind == "device") {
    lists.devices[lists.counts[2]++] = {
        hashed ? hash_column(row, 5) : device_hash(institution, text_view(row, 6)), expires_at, entry};
  } else if (kind == "country") {
    lists.countries[lists.counts[3]++] = {text_view(row, 6), expires_at, entry};
  } else if (kind == "place") {
    lists.places[lists.counts[4]++] = {text_view(row, 6), expires_at, entry};
  } else if (kind == "mac") {
    lists.macs[lists.counts[5]++] = {parse_mac(DatumGetMacaddrP(column(row, 7, &is_null))), expires_at,
                                     entry};
  } else if (kind == "hours") {
    lists.hours[lists.counts[6]++] = {window(row, kEntryWindow), zone_number(rules, row, kEntryWindow + 3),
                                      expires_at, entry};
  } else {
    elog(ERROR, "deny-list entry %u has an unknown kind", lists.names[row].id);
  }
}

void make_lists(int32 institution, uint64 count, LoadedRules& rules, risk::DenyLists& out) {
  Lists lists = {allocate<risk::EntryName>(count),
                 allocate<risk::Range>(count),
                 allocate<risk::Listed<risk::Hash>>(count),
                 allocate<risk::Listed<risk::Hash>>(count),
                 allocate<risk::Listed<std::string_view>>(count),
                 allocate<risk::Listed<std::string_view>>(count),
                 allocate<risk::Listed<uint64>>(count),
                 allocate<risk::ListedWindow>(count),
                 {}};
  for (uint64 row = 0; row < count; ++row) read_entry(institution, row, rules, lists);
  out.entries = {lists.names, count};
  out.addresses = segments_of(lists.addresses, lists.counts[0]);
  out.address_hashes = sorted(lists.address_hashes, lists.counts[1]);
  out.devices = sorted(lists.devices, lists.counts[2]);
  out.countries = sorted(lists.countries, lists.counts[3]);
  out.places = sorted(lists.places, lists.counts[4]);
  out.macs = sorted(lists.macs, lists.counts[5]);
  out.hours = {lists.hours, lists.counts[6]};
}

// Into the current memory context. The rows are in SPI's memory, of which nothing is kept.
void load(int32 institution, Statement& rules, Datum rules_argument, Statement& entries,
          Datum entries_argument, LoadedRules& out) {
  memset(static_cast<void*>(&out), 0, sizeof out);
  const MemoryContext memory = CurrentMemoryContext;
  out.memory = memory;
  uint64 count = execute(rules, &rules_argument, nullptr, true);
  SPITupleTable* const rule_rows = SPI_tuptable;
  const uint64 entry_count = execute(entries, &entries_argument, nullptr, true);
  SPITupleTable* const entry_rows = SPI_tuptable;
  // SPI_execute left its own context current.
  MemoryContextSwitchTo(memory);
  out.zones = allocate<pg_tz*>(1 + count + entry_count);
  out.zones[0] = nullptr;
  out.zone_count = 1;
  make_lists(institution, entry_count, out, out.set.denied);
  SPI_tuptable = rule_rows;
  auto* made = allocate<risk::Rule>(count);
  for (uint64 row = 0; row < count; ++row) made[row] = read_rule(institution, row, out);
  out.set.rules = {made, count};
  SPI_freetuptable(rule_rows);
  SPI_freetuptable(entry_rows);
}

// By institution, a few at a time: a session acts for one, a pooled one for some.
struct Place {
  uint64 generation;
  int32 institution;
  LoadedRules rules;
};
Place places[4];
int next_place = 0;

}  // namespace

const LoadedRules& load_rules(int32 institution) {
  const uint64 generation = policy_generation();
  Place* reused = nullptr;
  for (Place& place : places) {
    if (place.institution != institution || place.rules.memory == nullptr) continue;
    if (place.generation == generation) return place.rules;
    reused = &place;
  }
  if (reused == nullptr) {
    reused = &places[next_place];
    next_place = (next_place + 1) % static_cast<int>(lengthof(places));
  }
  // Below the caller's memory until it is complete: an error leaves nothing behind.
  const MemoryContext memory =
      AllocSetContextCreate(CurrentMemoryContext, "pg_visage risk rules", ALLOCSET_DEFAULT_SIZES);
  const MemoryContext before = MemoryContextSwitchTo(memory);
  LoadedRules rules;
  begin_newest();
  load(institution, find_rules, Int32GetDatum(institution), find_entries, Int32GetDatum(institution), rules);
  end_newest();
  MemoryContextSwitchTo(before);
  if (reused->rules.memory != nullptr) MemoryContextDelete(reused->rules.memory);
  MemoryContextSetParent(memory, TopMemoryContext);
  *reused = {generation, institution, rules};
  return reused->rules;
}

void load_given_rules(int32 institution, Datum rules, Datum entries, LoadedRules& out) {
  load(institution, read_rules, rules, read_entries, entries, out);
}

void local_times(const LoadedRules& rules, TimestampTz now, struct pg_tz* own, risk::LocalTime* out) {
  for (int i = 0; i < rules.zone_count; ++i) {
    struct pg_tz* const zone = i == 0 ? own : rules.zones[i];
    out[i] = {};
    if (zone == nullptr) continue;
    int offset;
    struct pg_tm tm;
    fsec_t fraction;
    if (timestamp2tm(now, &offset, &tm, &fraction, nullptr, zone) != 0)
      ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
    // j2day: 0 is Sunday.
    out[i].weekday = static_cast<uint8>((j2day(date2j(tm.tm_year, tm.tm_mon, tm.tm_mday)) + 6) % 7);
    out[i].minute = static_cast<int16>(tm.tm_hour * MINS_PER_HOUR + tm.tm_min);
  }
}

}  // namespace visage::pg
