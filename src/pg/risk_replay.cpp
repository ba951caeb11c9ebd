// Calls of the past, decided anew under other rules; source of visage.simulate.
//
// The ledger holds channel, scenario, time and the keyed hashes of address and device. An address in clear is
// there while visage.audit_policy keeps it, a position while some rule looks at the past; country, place, MAC
// address and the caller's time zone are not kept. What a rule asks about and nobody kept is unknown, not
// absent.
#include "pg/audit.h"
#include "pg/boundary.h"
#include "pg/clock.h"
#include "pg/context.h"
#include "pg/keys.h"
#include "pg/policy.h"
#include "pg/risk_rules.h"
#include "pg/sighting.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

using risk::Known;

constexpr long kRowsAtOnce = 1000;

// Calls that ended before rules were asked are left out. A position is that of the call's own sighting.
Statement find_calls = {
    "SELECT e.seq, e.at, e.operation, e.channel, e.scenario, e.decision, e.reason, e.note, "
    "e.operation::text, "
    "coalesce(c.factors, 0)::integer, e.address, e.device, d.address::inet, d.event IS NOT NULL, e.subject, "
    "p.latitude, p.longitude, p.at IS NOT NULL "
    "FROM visage.event e "
    "LEFT JOIN visage.scenario c ON c.institution = e.institution AND c.name = e.scenario "
    "LEFT JOIN visage.event_detail d ON d.event = e.seq "
    "LEFT JOIN LATERAL (SELECT s.at, s.latitude, s.longitude FROM visage.sighting s WHERE s.subject = "
    "e.subject AND s.at = "
    "e.at LIMIT 1) p ON true "
    "WHERE e.institution = $1 AND e.at >= $2 AND e.at < $3 AND e.decision IS NOT NULL "
    "AND e.reason NOT IN ('EXPIRED_PROBE', 'REPLAYED_PROBE', 'UNKNOWN_SOURCE') ORDER BY e.seq",
    3,
    {"integer", "timestamptz", "timestamptz"}};

void read_hash(uint64 row, int number, Known& has, risk::Hash& out) {
  has = column_is_null(row, number) ? Known::kMissing : Known::kGiven;
  if (has != Known::kGiven) return;
  const Bytes bytes = column_bytes(row, number);
  memcpy(out.bytes, bytes.data(), Min(bytes.size(), sizeof out.bytes));
}

std::string_view view_of(uint64 row, int number) {
  const char* text = column_text(row, number);
  return text != nullptr ? text : std::string_view{};
}

void read_call(uint64 row, TimestampTz at, risk::Inputs& out) {
  bool is_null;
  out = {};
  out.now = to_unix(at);
  out.channel = view_of(row, 4);
  out.scenario = view_of(row, 5);
  out.operation = view_of(row, 9);
  out.scenario_factors = static_cast<uint8>(DatumGetInt32(column(row, 10, &is_null)));
  read_hash(row, 11, out.has_address_hash, out.address_hash);
  read_hash(row, 12, out.has_device, out.device);
  // Only who named an address has its hash; whether it is known in clear is another question.
  out.has_address = out.has_address_hash == Known::kMissing ? Known::kMissing : Known::kUnknown;
  const Datum address = column(row, 13, &is_null);
  if (!is_null) {
    out.has_address = Known::kGiven;
    out.address = parse_address(DatumGetInetPP(address));
  }
  out.has_country = out.has_place = out.has_mac = out.has_zone = Known::kUnknown;
  const bool seen = DatumGetBool(column(row, 18, &is_null));
  out.has_position = seen ? Known::kMissing : Known::kUnknown;
  const Datum latitude = column(row, 16, &is_null);
  if (!is_null && !column_is_null(row, 17)) {
    out.has_position = Known::kGiven;
    out.position = {DatumGetFloat4(latitude), DatumGetFloat4(column(row, 17, &is_null))};
  }
}

struct Replay {
  LoadedRules rules;
  risk::LocalTime* local;
  risk::Sighting* sightings;
  ReturnSetInfo* result;
  MemoryContext row_memory;
};

void decide_again(Replay& replay, uint64 row) {
  bool is_null;
  const TimestampTz at = DatumGetTimestampTz(column(row, 2, &is_null));
  risk::Inputs inputs;
  read_call(row, at, inputs);
  local_times(replay.rules, at, nullptr, replay.local);
  inputs.local = {replay.local, static_cast<size_t>(replay.rules.zone_count)};
  risk::Verdict verdict;
  risk::evaluate(replay.rules.set, inputs, nullptr, verdict);
  if (verdict.needs_past) {
    risk::Past past = {nullptr, 0};
    if (!column_is_null(row, 15))
      past = read_past(column_uuid(row, 15), at - replay.rules.longest_period, at, replay.sightings);
    risk::evaluate(replay.rules.set, inputs, &past, verdict);
  }
  // Columns of visage.replay_risk: the first eight are those of the query.
  Datum values[12];
  bool nulls[12] = {};
  for (int i = 0; i < 8; ++i) values[i] = column(row, i + 1, &nulls[i]);
  values[8] = OidInputFunctionCall(F_ENUM_IN, const_cast<char*>(risk::label(verdict.action)),
                                   TupleDescAttr(replay.result->setDesc, 8)->atttypid, -1);
  values[9] = Int32GetDatum(verdict.factors);
  char note[audit::kMaxNoteLength];
  const size_t size = risk::describe(verdict, note);
  nulls[10] = size == 0;
  values[10] = nulls[10] ? 0 : PointerGetDatum(cstring_to_text_with_len(note, static_cast<int>(size)));
  values[11] = BoolGetDatum(verdict.uncertain);
  tuplestore_putvalues(replay.result->setResult, replay.result->setDesc, values, nulls);
}

}  // namespace

// replay_risk(rules, entries, since, until) → a row a call
VISAGE_FUNCTION(visage_replay_risk) {
  key_ring();
  InitMaterializedSRF(fcinfo, 0);
  Replay replay = {};
  replay.result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  SPI_connect();
  const int32 institution = acting_institution();
  load_given_rules(institution, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), replay.rules);
  replay.local = static_cast<risk::LocalTime*>(
      palloc0(sizeof(risk::LocalTime) * static_cast<size_t>(replay.rules.zone_count)));
  replay.sightings = static_cast<risk::Sighting*>(palloc(sizeof(risk::Sighting) * kMaxSightings));
  replay.row_memory = AllocSetContextCreate(CurrentMemoryContext, "pg_visage replay", ALLOCSET_DEFAULT_SIZES);
  const Datum arguments[] = {Int32GetDatum(institution), PG_GETARG_DATUM(2), PG_GETARG_DATUM(3)};
  Portal calls = open_cursor(find_calls, arguments);
  for (;;) {
    SPI_cursor_fetch(calls, true, kRowsAtOnce);
    SPITupleTable* const rows = SPI_tuptable;
    const uint64 count = SPI_processed;
    for (uint64 row = 0; row < count; ++row) {
      CHECK_FOR_INTERRUPTS();
      const MemoryContext before = MemoryContextSwitchTo(replay.row_memory);
      SPI_tuptable = rows;
      decide_again(replay, row);
      MemoryContextSwitchTo(before);
      MemoryContextReset(replay.row_memory);
    }
    SPI_freetuptable(rows);
    if (count == 0) break;
  }
  SPI_cursor_close(calls);
  SPI_finish();
  return 0;
}

}  // namespace visage::pg
