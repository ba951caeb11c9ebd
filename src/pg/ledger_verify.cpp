// verify_ledger(): makes the tree anew from the events and compares it with what is stored and signed.
//
// The range is read once, in the order of the numbers. Every leaf is hashed from its row's columns; every
// head's tree hash is compared with the tree made so far. A head is covered by the next event's leaf, so the
// signature is looked at where that is not so: for the newest head, and where a leaf does not fit. Subtrees
// of 256 events are compared with visage.tree_node; where one differs, its fault is reported and the tree
// goes on from what is stored, so that one fault gives few rows.
#include "pg/audit_ring.h"
#include "pg/boundary.h"
#include "pg/clock.h"
#include "pg/durability.h"
#include "pg/keys.h"
#include "pg/ledger.h"
#include "pg/shared.h"
#include "pg/statement.h"

extern "C" {
#include "access/genam.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace visage::pg {
namespace {

constexpr uint64 kSegment = 1 << kStoredLevelStep;
constexpr uint64 kProgressStep = 4096;
constexpr int kMaxAltered = 256;  // rows that are searched for a place they came from
constexpr char kAlteredDetail[] = "the row is not what its leaf was made from";

Statement first_node = {
    "SELECT hash FROM visage.tree_node WHERE level = $1 AND index = $2", 2, {"smallint", "bigint"}};

struct Altered {
  int64 seq;
  audit::Hash stored;
  EventRow row;
};

struct Verification {
  ReturnSetInfo* result;
  Tree tree;
  EnumLabels labels;
  EventRow row;  // the one that is looked at
  audit::CompactRange range;
  uint64 first;
  bool lost;     // the tree cannot be made from the rows for the rest of this segment: its fault was reported
  bool suspect;  // an altered row was found in this segment: that its heads do not fit is the same fault
  bool behind_gap;      // the row before is missing, and so is the head that it may have carried
  bool altered_before;  // the row before was altered, its head perhaps as well
  int64 forged_seq;     // the last head that was reported
  bool has_head;        // of the row before
  uint8_t head[audit::kHeadSize];
  int64 head_seq;
  Altered* altered;
  int altered_count;
  bool has_checkpoint;
  audit::Checkpoint checkpoint;
};

void report(Verification& v, int64 event, const char* fault, const char* format, ...)
    pg_attribute_printf(4, 5);
void report(Verification& v, int64 event, const char* fault, const char* format, ...) {
  char detail[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(detail, sizeof detail, format, arguments);
  va_end(arguments);
  Datum values[] = {Int64GetDatum(event), CStringGetTextDatum(fault), CStringGetTextDatum(detail)};
  bool nulls[] = {event < 0, false, false};
  tuplestore_putvalues(v.result->setResult, v.result->setDesc, values, nulls);
}

// A forged head shows in more than one place.
void report_forged(Verification& v, int64 event, const char* detail) {
  if (v.forged_seq == event) return;
  v.forged_seq = event;
  report(v, event, "forged head", "%s", detail);
}

bool signature_holds(const Verification& v, const uint8_t* head, uint64 size) {
  crypto::VerifyingKey key;
  if (!load_tree_key(head_key_version(head), key)) return false;
  audit::Checkpoint checkpoint;
  checkpoint.origin = v.tree.origin;
  checkpoint.size = size;
  checkpoint.root = head_root(head);
  return guarded([&] { return audit::verify_checkpoint(checkpoint, key, head_signature(head)); }).ok();
}

Status leaf_of(const audit::TreeHasher& hasher, const EventRow& row, uint64 seq, Bytes previous,
               audit::Hash& out) {
  uint8_t bytes[audit::kMaxLeafSize];
  size_t size = 0;
  VISAGE_TRY(audit::encode_leaf(row.record, seq, to_unix(row.at), previous, bytes, size));
  return hasher.leaf({bytes, size}, out);
}

void keep_altered(Verification& v, const EventRow& row) {
  if (v.altered_count == kMaxAltered) {
    report(v, row.seq, "altered", kAlteredDetail);
    return;
  }
  v.altered[v.altered_count++] = {row.seq, row.leaf, row};
}

bool stored_node(int level, uint64 index, audit::Hash& out) {
  const Datum arguments[] = {Int16GetDatum(static_cast<int16>(level)),
                             Int64GetDatum(static_cast<int64>(index))};
  bool found = execute(first_node, arguments, nullptr, true) == 1;
  if (found) {
    const Bytes bytes = column_bytes(0, 1);
    found = bytes.size() == sizeof out.bytes;
    if (found) memcpy(out.bytes, bytes.data(), sizeof out.bytes);
  }
  SPI_freetuptable(SPI_tuptable);
  return found;
}

struct CompletedNodes {
  int count;
  struct {
    int level;
    uint64 index;
    audit::Hash hash;
  } nodes[8];
};

void keep_completed(void* context, int level, uint64_t index, const audit::Hash& hash) {
  auto* completed = static_cast<CompletedNodes*>(context);
  if (level % kStoredLevelStep == 0) completed->nodes[completed->count++] = {level, index, hash};
}

// After a fault the tree goes on from the stored nodes: what is signed later can then still be checked.
void go_on_from_stored(Verification& v, const audit::TreeHasher& hasher, uint64 size) {
  SubtreeReader reader = {hasher};
  audit::CompactRange stored;
  if (!audit::range_at(size, read_subtree, &reader, stored).ok()) return;
  v.range = stored;
  v.lost = false;
}

void check_nodes(Verification& v, const audit::TreeHasher& hasher, const CompletedNodes& completed) {
  for (int i = 0; i < completed.count; ++i) {
    const auto& node = completed.nodes[i];
    // A subtree that began before the range was not made from its rows.
    if ((node.index << node.level) < v.first) continue;
    audit::Hash stored;
    const uint64 last = ((node.index + 1) << node.level) - 1;
    if (!stored_node(node.level, node.index, stored)) {
      report(v, static_cast<int64>(last), "missing node",
             "visage.tree_node lacks level %d, index " UINT64_FORMAT, node.level, node.index);
    } else if (!(stored == node.hash)) {
      // Nothing else being wrong, it is the stored one; the tree goes on from the events.
      if (v.lost || v.suspect)
        v.lost = true;
      else
        report(v, static_cast<int64>(last), "altered node",
               "level %d, index " UINT64_FORMAT " is not what the events give", node.level, node.index);
    }
  }
  if (v.lost && completed.count > 0) go_on_from_stored(v, hasher, v.range.size);
  if (completed.count > 0) v.suspect = false;
}

void check_head(Verification& v, const audit::TreeHasher& hasher, const EventRow& row) {
  if (v.lost) return;
  audit::Hash root;
  if (!audit::root(hasher, v.range, root).ok() || root == head_root(row.head)) return;
  if (v.suspect) {
  } else if (signature_holds(v, row.head, v.range.size)) {
    report(v, row.seq, "altered", "the events up to here are not those that the signed head was made for");
  } else {
    report_forged(v, row.seq, "neither tree hash nor signature fit");
  }
  v.lost = true;
}

void check_checkpoint(Verification& v, const audit::TreeHasher& hasher) {
  if (!v.has_checkpoint || v.range.size != v.checkpoint.size || v.lost) return;
  audit::Hash root;
  if (audit::root(hasher, v.range, root).ok() && !(root == v.checkpoint.root))
    report(v, static_cast<int64>(v.checkpoint.size) - 1, "not the checkpoint's",
           "the first " UINT64_FORMAT " events are not those of the checkpoint", v.checkpoint.size);
}

void check_leaf(Verification& v, const audit::TreeHasher& hasher, const EventRow& row, bool readable) {
  audit::Hash leaf = {};
  const Bytes previous = v.has_head ? Bytes(v.head) : Bytes();
  const bool holds =
      readable && leaf_of(hasher, row, static_cast<uint64>(row.seq), previous, leaf).ok() && leaf == row.leaf;
  const bool behind_gap = v.behind_gap;
  const bool altered_before = v.altered_before;
  v.behind_gap = false;
  v.altered_before = false;
  if (holds || (readable && behind_gap)) return;
  if (!readable) {
    report(v, row.seq, "altered", "the row is none that the audit writer could have written");
  } else if (v.has_head && !signature_holds(v, v.head, static_cast<uint64>(row.seq))) {
    // With its row: that was reported.
    if (!altered_before) report_forged(v, v.head_seq, "the signature of the tree head does not hold");
    return;
  } else {
    keep_altered(v, row);
  }
  v.altered_before = true;
  v.suspect = true;
}

void check_row(Verification& v, const audit::TreeHasher& hasher, const Datum* values, const bool* nulls) {
  EventRow& row = v.row;
  const bool readable = read_event(v.labels, values, nulls, row);
  const auto expected = static_cast<int64>(v.range.size);
  if (row.seq != expected) {
    report(v, expected, "missing", INT64_FORMAT " events are missing", row.seq - expected);
    // What is left of the segment cannot be joined to the tree; its leaves still can be checked.
    v.lost = true;
    v.range.size = static_cast<uint64>(row.seq);
    v.range.count = 0;
    v.has_head = false;
    v.behind_gap = true;
  }
  check_leaf(v, hasher, row, readable);

  CompletedNodes completed = {};
  if (v.range.count == 0 && v.range.size > 0) {  // behind a gap
    ++v.range.size;
    if (v.range.size % kSegment == 0) go_on_from_stored(v, hasher, v.range.size);
  } else {
    // The stored leaf keeps an altered row from spoiling what follows; it is reported by itself.
    raise_unless_ok(audit::append(hasher, v.range, row.leaf, keep_completed, &completed),
                    "cannot verify the ledger");
    if (row.has_head) check_head(v, hasher, row);
    if (completed.count > 0) check_nodes(v, hasher, completed);
    check_checkpoint(v, hasher);
  }
  v.has_head = row.has_head;
  if (row.has_head) memcpy(v.head, row.head, sizeof v.head);
  v.head_seq = row.seq;
}

// An altered row may be another one's contents in a wrong place.
void report_altered(Verification& v, const audit::TreeHasher& hasher) {
  for (int i = 0; i < v.altered_count; ++i) {
    const Altered& here = v.altered[i];
    int64 origin = -1;
    for (int j = 0; j < v.altered_count && origin < 0; ++j) {
      const auto place = static_cast<uint64>(v.altered[j].seq);
      bool has_head = false;
      uint8_t head[audit::kHeadSize];
      if (j == i) continue;
      load_head_before(place, has_head, head);
      audit::Hash leaf;
      for (const Bytes previous : {Bytes(), has_head ? Bytes(head) : Bytes()})
        if (leaf_of(hasher, here.row, place, previous, leaf).ok() &&
            (leaf == here.stored || leaf == v.altered[j].stored))
          origin = v.altered[j].seq;
    }
    if (origin >= 0)
      report(v, here.seq, "reordered", "holds event " INT64_FORMAT, origin);
    else
      report(v, here.seq, "altered", kAlteredDetail);
  }
}

void scan(Verification& v, const audit::TreeHasher& hasher, uint64 last) {
  Relation table =
      table_open(get_relname_relid("event", get_namespace_oid("visage", false)), AccessShareLock);
  Relation index = index_open(visage_primary_key_index(table), AccessShareLock);
  ScanKeyData keys[2];
  ScanKeyInit(&keys[0], kSeqColumn, BTGreaterEqualStrategyNumber, F_INT8GE,
              Int64GetDatum(static_cast<int64>(v.first)));
  ScanKeyInit(&keys[1], kSeqColumn, BTLessEqualStrategyNumber, F_INT8LE,
              Int64GetDatum(static_cast<int64>(last)));
  IndexScanDesc scan = visage_index_beginscan(table, index, GetActiveSnapshot(), 2);
  index_rescan(scan, keys, 2, nullptr, 0);
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  Slot& progress = slot_at(own_place());
  progress.begin_progress(ProgressOf::kLedger, static_cast<int64>(last - v.first + 1));
  const MemoryContext row_context =
      AllocSetContextCreate(CurrentMemoryContext, "pg_visage event", ALLOCSET_DEFAULT_SIZES);
  const MemoryContext caller = CurrentMemoryContext;
  uint64 done = 0;
  while (index_getnext_slot(scan, ForwardScanDirection, slot)) {
    CHECK_FOR_INTERRUPTS();
    slot_getallattrs(slot);
    // Here and not around the loop: the scan keeps memory of its own in the current context, and SPI leaves
    // another one behind.
    MemoryContextSwitchTo(row_context);
    check_row(v, hasher, slot->tts_values, slot->tts_isnull);
    MemoryContextSwitchTo(caller);
    MemoryContextReset(row_context);
    if (++done % kProgressStep == 0) progress.progress_done = static_cast<int64>(done);
  }
  MemoryContextDelete(row_context);
  progress.progress_total = 0;
  ExecDropSingleTupleTableSlot(slot);
  index_endscan(scan);
  index_close(index, AccessShareLock);
  table_close(table, AccessShareLock);
}

void read_checkpoint(Verification& v, const text* note) {
  // Which of the ledger's keys signed it is written in the note; each is tried.
  static Statement all_keys = {"SELECT public_key FROM visage.tree_key ORDER BY key_version DESC", 0, {}};
  const uint64 found = execute(all_keys, nullptr, nullptr, true);
  Status status = Status::error(Code::kKeyMissing, "visage.tree_key is empty");
  for (uint64 i = 0; i < found; ++i) {
    const Bytes bytes = column_bytes(i, 1);
    crypto::VerifyingKey key;
    if (bytes.size() != sizeof key.bytes) continue;
    memcpy(key.bytes, bytes.data(), sizeof key.bytes);
    status = guarded([&] {
      return audit::parse_note({VARDATA_ANY(note), VARSIZE_ANY_EXHDR(note)}, key, v.tree.origin.view(),
                               v.checkpoint);
    });
    if (status.ok()) break;
  }
  SPI_freetuptable(SPI_tuptable);
  raise_unless_ok(status, "cannot read the checkpoint");
  v.has_checkpoint = true;
}

uint64 bound_argument(FunctionCallInfo fcinfo, int index, const char* name, uint64 low, uint64 high,
                      uint64 otherwise) {
  if (PG_ARGISNULL(index)) return otherwise;
  const int64 value = PG_GETARG_INT64(index);
  if (value < static_cast<int64>(low) || value > static_cast<int64>(high))
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("\"%s\" is " INT64_FORMAT ", allowed are " UINT64_FORMAT " to " UINT64_FORMAT,
                           name, value, low, high)));
  return static_cast<uint64>(value);
}

}  // namespace

// verify_ledger(from, to, checkpoint) → one row a fault
VISAGE_FUNCTION(visage_verify_ledger) {
  key_ring();
  flush_ledger();
  InitMaterializedSRF(fcinfo, 0);
  SPI_connect();
  auto& v = *static_cast<Verification*>(palloc0(sizeof(Verification)));
  v.result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  v.forged_seq = -1;
  v.altered = static_cast<Altered*>(palloc(sizeof(Altered) * kMaxAltered));
  bool has_head = false;
  uint8_t head[audit::kHeadSize];
  if (!load_tree(v.tree) || !load_enum_labels(v.labels)) {
    const bool rows = ledger_size(nullptr, has_head, head) > 0;
    if (rows) report(v, -1, "missing", "visage.tree has no row, so nothing says what these events are");
    if (!PG_ARGISNULL(2))
      report(v, -1, "truncated", "the checkpoint has events, the ledger has not been opened");
    SPI_finish();
    return 0;
  }
  if (!PG_ARGISNULL(2)) read_checkpoint(v, PG_GETARG_TEXT_PP(2));
  const uint64 size = ledger_size(&v.tree, has_head, head);
  if (v.has_checkpoint && v.checkpoint.size > size)
    report(v, static_cast<int64>(size), "truncated",
           "the checkpoint has " UINT64_FORMAT " events, the ledger " UINT64_FORMAT, v.checkpoint.size, size);
  if (size <= v.tree.archived) {
    if (v.tree.archived == 0) report(v, 0, "missing", "the ledger was opened and has no event");
    SPI_finish();
    return 0;
  }
  const audit::TreeHasher hasher(engine(), v.tree.suite);
  v.first = bound_argument(fcinfo, 0, "from", v.tree.archived, size - 1, v.tree.archived);
  const uint64 last = bound_argument(fcinfo, 1, "to", v.first, size - 1, size - 1);
  SubtreeReader reader = {hasher};
  const Status joined = audit::range_at(v.first, read_subtree, &reader, v.range);
  if (!joined.ok()) {
    report(v, static_cast<int64>(v.first), "missing node", "%s", joined.message);
    v.range.size = v.first;
    v.range.count = 0;
    v.lost = true;
  }
  if (v.has_checkpoint && v.checkpoint.size <= v.first && v.checkpoint.size > 0) {
    audit::CompactRange earlier;
    audit::Hash root;
    const bool known = audit::range_at(v.checkpoint.size, read_subtree, &reader, earlier).ok();
    // Only whole segments of what was archived have their hashes here.
    if (!known && v.checkpoint.size <= v.tree.archived)
      ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                      errmsg("the checkpoint ends inside a segment that was archived"),
                      errhint("Check it with the archive's leaves, and the ledger with a later checkpoint; "
                              "visage.history tells what was archived.")));
    if (!known || !audit::root(hasher, earlier, root).ok() || !(root == v.checkpoint.root))
      report(v, static_cast<int64>(v.checkpoint.size) - 1, "not the checkpoint's",
             "the stored hashes do not lead to the checkpoint's tree hash");
  }
  if (v.first > v.tree.archived)
    load_head_before(v.first, v.has_head, v.head);
  else if ((v.has_head = v.tree.has_archived_head))
    memcpy(v.head, v.tree.archived_head, sizeof v.head);
  v.head_seq = static_cast<int64>(v.first) - 1;
  scan(v, hasher, last);
  if (v.range.size <= last)
    report(v, static_cast<int64>(v.range.size), "missing", UINT64_FORMAT " events are missing",
           last + 1 - v.range.size);
  report_altered(v, hasher);
  if (last == size - 1) {
    if (!has_head)
      report(v, static_cast<int64>(last), "truncated",
             "the last event carries no tree head: events after it are gone");
    else if (!signature_holds(v, head, size))
      report_forged(v, static_cast<int64>(last), "the signature of the last tree head does not hold");
  }
  SPI_finish();
  return 0;
}

VISAGE_FUNCTION(visage_ledger_progress) {
  return put_progress(fcinfo, ProgressOf::kLedger);
}

}  // namespace visage::pg
