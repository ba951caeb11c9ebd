#include "pg/ledger_writer.h"

#include "core/keys/ledger_key.h"
#include "pg/append.h"
#include "pg/boundary.h"
#include "pg/clock.h"
#include "pg/keys.h"
#include "pg/settings.h"
#include "pg/statement.h"

extern "C" {
#include "access/xlog.h"
}

namespace visage::pg {
namespace {

Statement insert_tree = {
    "INSERT INTO visage.tree (origin, suite, key_version, opened_at, system_identifier) "
    "VALUES ($1, $2, $3, $4, $5)",
    5,
    {"text", "smallint", "bigint", "timestamptz", "bigint"}};
Statement change_key = {"UPDATE visage.tree SET key_version = $1", 1, {"bigint"}};
Statement insert_key = {
    "INSERT INTO visage.tree_key (key_version, public_key, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    3,
    {"bigint", "bytea", "bigint"}};
Statement policy_digest = {"SELECT visage.policy_digest()", 0, {}};
Statement last_time = {"SELECT at FROM visage.event ORDER BY seq DESC LIMIT 1", 0, {}};
Statement some_events = {"SELECT * FROM visage.event WHERE seq >= $1 ORDER BY seq LIMIT 1000", 1, {"bigint"}};
Statement insert_detail = {
    "INSERT INTO visage.event_detail (event, at, institution, salt, address, device) "
    "VALUES ($1, $2, $3, $4, $5, $6)",
    6,
    {"bigint", "timestamptz", "integer", "bytea", "text", "text"}};

struct TreeNode {
  int level;
  uint64 index;
  audit::Hash hash;
};

// Subtrees that a batch completes, at the levels that are stored.
struct NewNodes {
  static constexpr int kMax = 64;
  int count;
  TreeNode nodes[kMax];
};

// In the writer only, and too large for the stack.
EventRow rows[kMaxBatch + 1];
audit::EventRecord opening;
NewNodes new_nodes;

// The ledger's key of the version it is signed with now. A loaded version never changes its bytes while the
// server runs (visage.reload_keys refuses it).
// Never destroyed: libcrypto is cleaned up before this library's objects.
crypto::Signer* signer;
uint32 signer_version;

Status hold_signer(uint32 version) {
  if (signer == nullptr) signer = new crypto::Signer;
  if (signer->holds_key() && signer_version == version) return {};
  Secret<crypto::SigningKey> key;
  VISAGE_TRY(keys::derive_ledger_key(engine(), key_ring(), version, key.value));
  signer_version = version;
  return signer->hold(key.value);
}

void keep_node(void*, int level, uint64_t index, const audit::Hash& hash) {
  if (level % kStoredLevelStep != 0) return;
  Assert(new_nodes.count < NewNodes::kMax);
  new_nodes.nodes[new_nodes.count++] = {level, index, hash};
}

struct varlena* copy_bytes(const uint8_t* bytes, size_t size) {
  auto* value = static_cast<struct varlena*>(palloc(VARHDRSZ + size));
  SET_VARSIZE(value, VARHDRSZ + size);
  memcpy(VARDATA(value), bytes, size);
  return value;
}

void store_nodes() {
  constexpr int kColumns = 3;
  Datum values[NewNodes::kMax * kColumns];
  bool nulls[NewNodes::kMax * kColumns] = {};
  for (int i = 0; i < new_nodes.count; ++i) {
    const TreeNode& node = new_nodes.nodes[i];
    values[i * kColumns] = Int16GetDatum(static_cast<int16>(node.level));
    values[i * kColumns + 1] = Int64GetDatum(static_cast<int64>(node.index));
    values[i * kColumns + 2] = PointerGetDatum(copy_bytes(node.hash.bytes, sizeof node.hash.bytes));
  }
  if (new_nodes.count > 0) append_rows("tree_node", kColumns, values, nulls, new_nodes.count);
  new_nodes.count = 0;
}

[[noreturn]] void damaged(const char* what) {
  ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("the ledger is damaged: %s", what),
                  errhint("SELECT * FROM visage.verify_ledger() says where. Restore visage.event and the "
                          "visage.tree tables together.")));
  pg_unreachable();
}

Status derive_public_key(uint32_t version, crypto::VerifyingKey& key) {
  return guarded([&]() -> Status {
    Secret<crypto::SigningKey> signing;
    VISAGE_TRY(keys::derive_ledger_key(engine(), key_ring(), version, signing.value));
    return crypto::public_key(signing.value, key);
  });
}

// Heads signed with another key under the same version would all be forged ones. A version that is not loaded
// is no fault here: the ledger's key can be rotated away from it.
void check_key(uint32_t version) {
  crypto::VerifyingKey stored;
  crypto::VerifyingKey ours;
  if (!load_tree_key(version, stored)) damaged("the key that it is signed with is unknown");
  const Status status = derive_public_key(version, ours);
  if (status.code == Code::kKeyMissing) return;
  raise_unless_ok(status, "cannot make the ledger's key");
  if (memcmp(stored.bytes, ours.bytes, sizeof ours.bytes) != 0)
    ereport(ERROR, (errcode(ERRCODE_VISAGE_DOES_NOT_OPEN),
                    errmsg("envelope key version %u is not the one that the ledger is signed with", version),
                    errhint("If this is a restored database, load the keys that it was made with.")));
}

void store_key(uint32_t version, uint64 since) {
  crypto::VerifyingKey key;
  raise_unless_ok(derive_public_key(version, key), "cannot make the ledger's key");
  const Datum arguments[] = {Int64GetDatum(version), PointerGetDatum(copy_bytes(key.bytes, sizeof key.bytes)),
                             Int64GetDatum(static_cast<int64>(since))};
  execute(insert_key, arguments, nullptr, false);
}

// Whether a row's leaf is the hash of what the row says.
Status check_leaf(const audit::TreeHasher& hasher, const EventRow& row, bool& right) {
  uint8_t bytes[audit::kMaxLeafSize];
  size_t size = 0;
  audit::Hash leaf;
  VISAGE_TRY(audit::encode_leaf(row.record, static_cast<uint64>(row.seq), to_unix(row.at), {}, bytes, size));
  VISAGE_TRY(hasher.leaf({bytes, size}, leaf));
  right = leaf == row.leaf;
  return {};
}

// Rows that an earlier version recorded before there was a ledger: their leaves become the tree's first, and
// their hash the tree's, whatever the suite is by now.
Status adopt_event(LedgerWriter& ledger, const EventRow& row, bool& right) {
  VISAGE_TRY(check_leaf({engine(), ledger.tree.suite}, row, right));
  if (!right && row.seq == 0) {
    ledger.tree.suite = ledger.tree.suite == crypto::Suite::kSm4CtrHmacSm3 ? crypto::Suite::kAes256Gcm
                                                                           : crypto::Suite::kSm4CtrHmacSm3;
    VISAGE_TRY(check_leaf({engine(), ledger.tree.suite}, row, right));
  }
  if (!right) return {};
  return audit::append({engine(), ledger.tree.suite}, ledger.range, row.leaf, keep_node);
}

void adopt_events(LedgerWriter& ledger) {
  for (;;) {
    const Datum arguments[] = {Int64GetDatum(static_cast<int64>(ledger.range.size))};
    const uint64 found = execute(some_events, arguments, nullptr, true);
    SPITupleTable* const table = SPI_tuptable;
    for (uint64 i = 0; i < found; ++i) {
      Datum values[kEventColumns];
      bool nulls[kEventColumns];
      heap_deform_tuple(table->vals[i], table->tupdesc, values, nulls);
      EventRow& row = rows[0];
      bool right =
          read_event(ledger.labels, values, nulls, row) && row.seq == static_cast<int64>(ledger.range.size);
      Status status;
      if (right) status = guarded([&] { return adopt_event(ledger, row, right); });
      if (!right || !status.ok()) damaged("visage.event has rows, and there is no visage.tree about them");
      ledger.last_at = Max(ledger.last_at, row.at);
    }
    store_nodes();
    SPI_freetuptable(table);
    if (found == 0) return;
  }
}

void open_tree(LedgerWriter& ledger) {
  Tree& tree = ledger.tree;
  tree.suite = settings::suite();
  tree.key_version = key_ring().envelope.newest()->version;
  tree.system_identifier = static_cast<int64>(GetSystemIdentifier());
  tree.archived = 0;
  if (settings::ledger_origin != nullptr && settings::ledger_origin[0] != '\0') {
    tree.origin.set(settings::ledger_origin);
  } else {
    char name[64];
    snprintf(name, sizeof name, "pg_visage/" UINT64_FORMAT "/%u", GetSystemIdentifier(), MyDatabaseId);
    tree.origin.set(name);
  }
  adopt_events(ledger);
  const Datum arguments[] = {PointerGetDatum(cstring_to_text_with_len(tree.origin.bytes, tree.origin.size)),
                             Int16GetDatum(static_cast<int16>(tree.suite)), Int64GetDatum(tree.key_version),
                             TimestampTzGetDatum(GetCurrentTimestamp()),
                             Int64GetDatum(tree.system_identifier)};
  execute(insert_tree, arguments, nullptr, false);
  store_key(tree.key_version, ledger.range.size);

  memset(static_cast<void*>(&opening), 0, sizeof opening);
  opening.operation = audit::Operation::kOpenLedger;
  raise_unless_ok(guarded([&] { return engine().random_uuid(opening.transaction); }),
                  "cannot make an identifier");
  opening.caller.set("pg_visage");
  opening.object.set(tree.origin.view());
  opening.mark(audit::Field::kObject);
  if (execute(policy_digest, nullptr, nullptr, true) == 1) {
    const Bytes digest = column_bytes(0, 1);
    memcpy(opening.after, digest.data(), Min(digest.size(), sizeof opening.after));
    opening.mark(audit::Field::kAfter);
  }
  if (ledger.range.size > 0) {
    char note[64];
    opening.note.set(
        {note, static_cast<size_t>(snprintf(note, sizeof note,
                                            UINT64_FORMAT " events were recorded before there was a ledger",
                                            ledger.range.size))});
    opening.mark(audit::Field::kNote);
  }
}

// The commitment that the event carries, and the row that it commits to.
void store_detail(NewEvent& event, audit::EventRecord& record) {
  const Detail& detail = event.slot->detail;
  uint8_t salt[16];
  const Status status = guarded([&]() -> Status {
    VISAGE_TRY(engine().random(salt));
    uint8_t bytes[sizeof salt + 4 + kMaxAddressLength + kMaxDeviceLength];
    Writer writer(bytes);
    writer.bytes(salt);
    writer.number(detail.address.size);
    writer.bytes(as_bytes(detail.address.view()));
    writer.number(detail.device.size);
    writer.bytes(as_bytes(detail.device.view()));
    crypto::sha256(writer.written(), record.detail);
    return {};
  });
  raise_unless_ok(status, "cannot keep the details");
  record.mark(audit::Field::kDetail);
  const Datum arguments[] = {
      Int64GetDatum(event.seq),
      TimestampTzGetDatum(event.at),
      Int32GetDatum(record.institution),
      PointerGetDatum(copy_bytes(salt, sizeof salt)),
      PointerGetDatum(cstring_to_text_with_len(detail.address.bytes, detail.address.size)),
      PointerGetDatum(cstring_to_text_with_len(detail.device.bytes, detail.device.size))};
  const char nulls[] = {
      ' ', ' ', ' ', ' ', detail.address.size == 0 ? 'n' : ' ', detail.device.size == 0 ? 'n' : ' ', '\0'};
  execute(insert_detail, arguments, nulls, false);
}

void rotate_key(LedgerWriter& ledger) {
  const keys::Root* newest = key_ring().envelope.newest();
  if (newest->version == ledger.tree.key_version) return;
  ledger.tree.key_version = newest->version;
  store_key(newest->version, ledger.range.size);
  const Datum arguments[] = {Int64GetDatum(newest->version)};
  execute(change_key, arguments, nullptr, false);
}

// Puts one event at the end of the tree. `place` is its row in the batch.
void extend_tree(LedgerWriter& ledger, const audit::TreeHasher& hasher, EventRow& row) {
  const Status status = guarded([&]() -> Status {
    uint8_t bytes[audit::kMaxLeafSize];
    size_t size = 0;
    const Bytes previous = ledger.has_head ? Bytes(ledger.head) : Bytes();
    VISAGE_TRY(audit::encode_leaf(row.record, ledger.range.size, to_unix(row.at), previous, bytes, size));
    VISAGE_TRY(hasher.leaf({bytes, size}, row.leaf));
    return audit::append(hasher, ledger.range, row.leaf, keep_node);
  });
  raise_unless_ok(status, "cannot extend the ledger");
  ledger.has_head = false;
}

void sign_head(LedgerWriter& ledger, const audit::TreeHasher& hasher) {
  const Status status = guarded([&]() -> Status {
    audit::Checkpoint checkpoint;
    checkpoint.origin = ledger.tree.origin;
    checkpoint.size = ledger.range.size;
    VISAGE_TRY(audit::root(hasher, ledger.range, checkpoint.root));
    VISAGE_TRY(hold_signer(ledger.tree.key_version));
    Writer writer(ledger.head);
    uint8_t signature[audit::kSignatureSize];
    VISAGE_TRY(audit::sign_checkpoint(checkpoint, *signer, signature));
    writer.number(ledger.tree.key_version);
    writer.bytes(checkpoint.root.view());
    writer.bytes(signature);
    return {};
  });
  raise_unless_ok(status, "cannot sign the tree head");
  ledger.has_head = true;
}

}  // namespace

bool ledger_present(Oid& event) {
  const Oid schema = get_namespace_oid("visage", true);
  if (!OidIsValid(schema)) return false;
  event = get_relname_relid("event", schema);
  return OidIsValid(event) && OidIsValid(get_relname_relid("tree", schema));
}

void load_ledger(LedgerWriter& ledger) {
  memset(static_cast<void*>(&ledger), 0, sizeof ledger);
  if (!ledger_present(ledger.event) || !load_enum_labels(ledger.labels))
    ereport(ERROR,
            (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("pg_visage of this version is not in the database")));
  ledger.open = load_tree(ledger.tree);
  const uint64 size = ledger_size(ledger.open ? &ledger.tree : nullptr, ledger.has_head, ledger.head);
  bool is_null = true;
  if (execute(last_time, nullptr, nullptr, true) == 1)
    ledger.last_at = DatumGetTimestampTz(column(0, 1, &is_null));
  SPI_freetuptable(SPI_tuptable);
  if (ledger.open) {
    if (!ledger.has_head) damaged("its last event carries no tree head");
    SubtreeReader reader = {audit::TreeHasher(engine(), ledger.tree.suite)};
    audit::Checkpoint checkpoint;
    checkpoint.origin = ledger.tree.origin;
    checkpoint.size = size;
    Status status = audit::range_at(size, read_subtree, &reader, ledger.range);
    if (status.ok()) status = audit::root(reader.hasher, ledger.range, checkpoint.root);
    if (!status.ok()) damaged(status.message);
    if (!(checkpoint.root == head_root(ledger.head))) damaged("its last tree head is not that of its events");
    crypto::VerifyingKey key;
    if (!load_tree_key(head_key_version(ledger.head), key))
      damaged("the key of its last tree head is unknown");
    status = guarded([&] { return audit::verify_checkpoint(checkpoint, key, head_signature(ledger.head)); });
    if (!status.ok()) damaged("the signature of its last tree head does not hold");
    check_key(ledger.tree.key_version);
  }
  ledger.loaded = true;
}

void extend_ledger(LedgerWriter& ledger, NewEvent* events, int count) {
  int first = 0;
  const TimestampTz now = Max(GetCurrentTimestamp(), ledger.last_at);
  new_nodes.count = 0;
  if (!ledger.open) {
    open_tree(ledger);
    ledger.open = true;
    rows[0].record = opening;
    first = 1;
  }
  const audit::TreeHasher hasher(engine(), ledger.tree.suite);
  const int total = first + count;
  for (int i = 0; i < total; ++i) {
    EventRow& row = rows[i];
    row.seq = static_cast<int64>(ledger.range.size);
    row.at = now;
    row.has_head = false;
    if (i >= first) {
      NewEvent& event = events[i - first];
      event.seq = row.seq;
      event.at = now;
      row.record = *event.record;
      if (row.record.operation == audit::Operation::kRotateLedgerKey) rotate_key(ledger);
      if (event.slot != nullptr && event.slot->keep_detail) store_detail(event, row.record);
    }
    extend_tree(ledger, hasher, row);
  }
  sign_head(ledger, hasher);
  EventRow& last = rows[total - 1];
  last.has_head = true;
  memcpy(last.head, ledger.head, sizeof last.head);
  ledger.last_at = now;

  auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * kEventColumns * static_cast<Size>(total)));
  auto* nulls = static_cast<bool*>(palloc(sizeof(bool) * kEventColumns * static_cast<Size>(total)));
  for (int i = 0; i < total; ++i)
    form_event(ledger.labels, rows[i], values + i * kEventColumns, nulls + i * kEventColumns);
  append_rows("event", kEventColumns, values, nulls, total);
  store_nodes();
}

}  // namespace visage::pg
