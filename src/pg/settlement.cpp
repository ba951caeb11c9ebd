#include "pg/settlement.h"

#include "pg/boundary.h"
#include "pg/keys.h"
#include "pg/statement.h"

extern "C" {
#include "access/transam.h"
#include "storage/procarray.h"
#include "utils/xid8.h"
}

namespace visage::pg {
namespace {

struct Unsettled {
  uint64 xid;
  int64 seq;
  int32 institution;
  bool has_institution;
  bool foreign;
  bool settling;
};

Unsettled* list = nullptr;
int used = 0;
int room = 0;

Statement find_unsettled = {
    "SELECT e.seq, e.xid, e.institution FROM visage.event e WHERE e.xid IS NOT NULL "
    "AND NOT EXISTS (SELECT FROM visage.event s WHERE s.settles = e.seq) ORDER BY e.seq",
    0,
    {}};

void add(const Unsettled& entry) {
  if (used == room) {
    room = room == 0 ? 64 : room * 2;
    const Size bytes = sizeof(Unsettled) * static_cast<Size>(room);
    list = static_cast<Unsettled*>(list == nullptr ? MemoryContextAlloc(TopMemoryContext, bytes)
                                                   : repalloc(list, bytes));
  }
  list[used++] = entry;
}

// Null while it runs.
const char* end_of(const Unsettled& entry) {
  if (entry.foreign) return "unknown: the ledger came from another server";
  const TransactionId xid = XidFromFullTransactionId(FullTransactionIdFromU64(entry.xid));
  if (TransactionIdIsInProgress(xid)) return nullptr;
  return TransactionIdDidCommit(xid) ? "committed" : "rolled back";
}

}  // namespace

void load_unsettled(bool foreign) {
  used = 0;
  const uint64 found = execute(find_unsettled, nullptr, nullptr, true);
  const uint64 next = U64FromFullTransactionId(ReadNextFullTransactionId());
  for (uint64 i = 0; i < found; ++i) {
    bool is_null;
    Unsettled entry = {};
    entry.seq = DatumGetInt64(column(i, 1, &is_null));
    entry.xid = DatumGetUInt64(column(i, 2, &is_null));
    entry.institution = DatumGetInt32(column(i, 3, &is_null));
    entry.has_institution = !is_null;
    // Half the circle of transaction ids ago, or in the future: not to be asked about either.
    entry.foreign = foreign || entry.xid >= next || next - entry.xid > MaxTransactionId / 2;
    add(entry);
  }
  SPI_freetuptable(SPI_tuptable);
}

void expect_settlement(const audit::EventRecord& record, int64 seq) {
  if (!record.has(audit::Field::kXid)) return;
  add({record.xid, seq, record.institution, record.has(audit::Field::kInstitution), false, false});
}

bool settlements_expected() {
  return used > 0;
}

int make_settlements(audit::EventRecord* out, int limit) {
  int made = 0;
  for (int i = 0; i < used && made < limit; ++i) {
    list[i].settling = false;
    const char* const end = end_of(list[i]);
    if (end == nullptr) continue;
    audit::EventRecord& record = out[made];
    memset(static_cast<void*>(&record), 0, sizeof record);
    record.operation = audit::Operation::kSettle;
    raise_unless_ok(guarded([&] { return engine().random_uuid(record.transaction); }),
                    "cannot make an identifier");
    record.caller.set("pg_visage");
    if (list[i].has_institution) {
      record.institution = list[i].institution;
      record.mark(audit::Field::kInstitution);
    }
    record.settles = list[i].seq;
    record.mark(audit::Field::kSettles);
    record.note.set(end);
    record.mark(audit::Field::kNote);
    list[i].settling = true;
    ++made;
  }
  return made;
}

void forget_settled() {
  int kept = 0;
  for (int i = 0; i < used; ++i)
    if (!list[i].settling) list[kept++] = list[i];
  used = kept;
}

}  // namespace visage::pg
