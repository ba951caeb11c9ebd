// SQL functions over the ledger: checkpoint, public key, proofs, leaves.
#include "pg/audit_ring.h"
#include "pg/boundary.h"
#include "pg/clock.h"
#include "pg/durability.h"
#include "pg/keys.h"
#include "pg/ledger.h"

extern "C" {
#include "utils/typcache.h"
}

namespace visage::pg {
namespace {

[[noreturn]] void not_open() {
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("the ledger is empty"),
                  errhint("It opens with the first event.")));
  pg_unreachable();
}

// The ledger as the statement's snapshot sees it; for use inside SPI.
struct View {
  Tree tree;
  uint64 size;
  bool has_head;
  uint8_t head[audit::kHeadSize];
};

void load_view(View& out) {
  flush_ledger();
  if (!load_tree(out.tree)) not_open();
  out.size = ledger_size(&out.tree, out.has_head, out.head);
  if (out.size == 0) not_open();
}

void load_newest_key(const View& view, crypto::VerifyingKey& key) {
  if (!load_tree_key(head_key_version(view.head), key))
    ereport(ERROR,
            (errcode(ERRCODE_DATA_CORRUPTED), errmsg("visage.tree_key lacks the key of the last tree head")));
}

uint64 size_argument(FunctionCallInfo fcinfo, int index, uint64 size) {
  if (PG_ARGISNULL(index)) return size;
  const int64 value = PG_GETARG_INT64(index);
  if (value < 1 || static_cast<uint64>(value) > size)
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
             errmsg("the ledger has had sizes from 1 to " UINT64_FORMAT ", not " INT64_FORMAT, size, value)));
  return static_cast<uint64>(value);
}

Datum proof_array(const audit::Proof& proof) {
  auto* elements = static_cast<Datum*>(palloc(sizeof(Datum) * (proof.count + 1)));
  for (uint32_t i = 0; i < proof.count; ++i) {
    auto* hash = static_cast<struct varlena*>(palloc(VARHDRSZ + audit::kHashSize));
    SET_VARSIZE(hash, VARHDRSZ + audit::kHashSize);
    memcpy(VARDATA(hash), proof.hashes[i].bytes, audit::kHashSize);
    elements[i] = PointerGetDatum(hash);
  }
  return PointerGetDatum(
      construct_array(elements, static_cast<int>(proof.count), BYTEAOID, -1, false, TYPALIGN_INT));
}

// SPI's memory goes with it; the result must not.
MemoryContext connect() {
  const MemoryContext caller = CurrentMemoryContext;
  SPI_connect();
  return caller;
}

}  // namespace

VISAGE_FUNCTION(visage_checkpoint) {
  (void)fcinfo;
  key_ring();
  SPI_connect();
  View view;
  load_view(view);
  replicate_ledger();
  if (!view.has_head)
    ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                    errmsg("the ledger is damaged: its last event carries no tree head")));
  crypto::VerifyingKey key;
  load_newest_key(view, key);
  SPI_finish();
  uint8_t note[audit::kMaxNoteSize];
  size_t size = 0;
  const Status status = guarded([&] {
    audit::Checkpoint checkpoint;
    checkpoint.origin = view.tree.origin;
    checkpoint.size = view.size;
    checkpoint.root = head_root(view.head);
    return audit::format_note(checkpoint, key, head_signature(view.head), note, size);
  });
  raise_unless_ok(status, "cannot write the checkpoint");
  PG_RETURN_TEXT_P(cstring_to_text_with_len(reinterpret_cast<const char*>(note), static_cast<int>(size)));
}

VISAGE_FUNCTION(visage_ledger_public_key) {
  (void)fcinfo;
  SPI_connect();
  View view;
  load_view(view);
  crypto::VerifyingKey key;
  load_newest_key(view, key);
  SPI_finish();
  uint8_t text[audit::kMaxNoteSize];
  size_t size = 0;
  raise_unless_ok(
      guarded([&] { return audit::format_verifier_key(view.tree.origin.view(), key, text, size); }),
      "cannot write the key");
  PG_RETURN_TEXT_P(cstring_to_text_with_len(reinterpret_cast<const char*>(text), static_cast<int>(size)));
}

// inclusion_proof(event, size) → audit path
VISAGE_FUNCTION(visage_inclusion_proof) {
  require_argument(fcinfo, 0, "event");
  key_ring();
  const MemoryContext caller = connect();
  View view;
  load_view(view);
  const uint64 size = size_argument(fcinfo, 1, view.size);
  const int64 event = PG_GETARG_INT64(0);
  if (event < static_cast<int64>(view.tree.archived) || static_cast<uint64>(event) >= size)
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
             errmsg("event " INT64_FORMAT " is not in a tree of " UINT64_FORMAT " events", event, size),
             view.tree.archived > 0
                 ? errhint("Events below " UINT64_FORMAT " were archived; the archive holds their proofs.",
                           view.tree.archived)
                 : 0));
  SubtreeReader reader = {audit::TreeHasher(engine(), view.tree.suite)};
  audit::Proof proof;
  raise_unless_ok(
      audit::inclusion_proof(reader.hasher, static_cast<uint64>(event), size, read_subtree, &reader, proof),
      "cannot make the proof");
  MemoryContextSwitchTo(caller);
  const Datum result = proof_array(proof);
  SPI_finish();
  return result;
}

// consistency_proof(first, second) → hashes
VISAGE_FUNCTION(visage_consistency_proof) {
  require_argument(fcinfo, 0, "first");
  key_ring();
  const MemoryContext caller = connect();
  View view;
  load_view(view);
  const uint64 second = size_argument(fcinfo, 1, view.size);
  const uint64 first = size_argument(fcinfo, 0, second);
  SubtreeReader reader = {audit::TreeHasher(engine(), view.tree.suite)};
  audit::Proof proof;
  raise_unless_ok(audit::consistency_proof(reader.hasher, first, second, read_subtree, &reader, proof),
                  "cannot make the proof");
  MemoryContextSwitchTo(caller);
  const Datum result = proof_array(proof);
  SPI_finish();
  return result;
}

// leaf_of(event row, previous head) → the bytes that the tree covers
VISAGE_FUNCTION(visage_leaf_of) {
  require_argument(fcinfo, 0, "event");
  HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(0);
  const TupleDesc descriptor =
      lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
  HeapTupleData tuple = {};
  tuple.t_len = HeapTupleHeaderGetDatumLength(header);
  tuple.t_data = header;
  Datum values[kEventColumns];
  bool nulls[kEventColumns];
  const bool fits = descriptor->natts == kEventColumns;
  if (fits) heap_deform_tuple(&tuple, descriptor, values, nulls);
  ReleaseTupleDesc(descriptor);
  EnumLabels labels;
  auto* row = static_cast<EventRow*>(palloc(sizeof(EventRow)));
  // The leaf's own hash need not be known yet.
  if (fits && nulls[kLeafColumn - 1]) {
    auto* none = static_cast<struct varlena*>(palloc0(VARHDRSZ + audit::kHashSize));
    SET_VARSIZE(none, VARHDRSZ + audit::kHashSize);
    values[kLeafColumn - 1] = PointerGetDatum(none);
    nulls[kLeafColumn - 1] = false;
  }
  if (!fits || !load_enum_labels(labels) || !read_event(labels, values, nulls, *row))
    ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                    errmsg("the row is none that the audit writer could have written")));
  const struct varlena* head = PG_ARGISNULL(1) ? nullptr : PG_GETARG_BYTEA_PP(1);
  const Bytes previous =
      head == nullptr ? Bytes()
                      : Bytes(reinterpret_cast<const uint8_t*>(VARDATA_ANY(head)), VARSIZE_ANY_EXHDR(head));
  auto* leaf = static_cast<struct varlena*>(palloc(VARHDRSZ + audit::kMaxLeafSize));
  size_t size = 0;
  const Status status = guarded([&] {
    return audit::encode_leaf(row->record, static_cast<uint64>(row->seq), to_unix(row->at), previous,
                              {reinterpret_cast<uint8_t*>(VARDATA(leaf)), audit::kMaxLeafSize}, size);
  });
  raise_unless_ok(status, "cannot write the leaf");
  SET_VARSIZE(leaf, VARHDRSZ + size);
  PG_RETURN_BYTEA_P(leaf);
}

}  // namespace visage::pg
