#include "pg/ledger.h"

#include "pg/boundary.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

Statement find_tree = {
    "SELECT origin, suite, key_version, system_identifier, archived, archived_head FROM visage.tree", 0, {}};
Statement last_event = {"SELECT seq, head FROM visage.event ORDER BY seq DESC LIMIT 1", 0, {}};
Statement find_tree_key = {"SELECT public_key FROM visage.tree_key WHERE key_version = $1", 1, {"bigint"}};
Statement read_leaves = {
    "SELECT leaf FROM visage.event WHERE seq >= $1 AND seq < $2 ORDER BY seq", 2, {"bigint", "bigint"}};
Statement read_nodes = {
    "SELECT hash FROM visage.tree_node WHERE level = $1 AND index >= $2 AND index < $3 ORDER BY index",
    3,
    {"smallint", "bigint", "bigint"}};

Statement find_head = {"SELECT head FROM visage.event WHERE seq = $1", 1, {"bigint"}};

bool fetch_head(uint64 row, int number, uint8_t (&head)[audit::kHeadSize]) {
  if (column_is_null(row, number)) return false;
  const Bytes bytes = column_bytes(row, number);
  if (bytes.size() != sizeof head) return false;
  memcpy(head, bytes.data(), sizeof head);
  return true;
}

bool fetch_hash(uint64 row, audit::Hash& out) {
  if (column_is_null(row, 1)) return false;
  const Bytes bytes = column_bytes(row, 1);
  if (bytes.size() != audit::kHashSize) return false;
  memcpy(out.bytes, bytes.data(), audit::kHashSize);
  return true;
}

}  // namespace

bool load_tree(Tree& out) {
  if (execute(find_tree, nullptr, nullptr, true) != 1) return false;
  bool is_null;
  out.origin.set(column_text(0, 1));
  out.suite = static_cast<crypto::Suite>(DatumGetInt16(column(0, 2, &is_null)));
  out.key_version = static_cast<uint32_t>(DatumGetInt64(column(0, 3, &is_null)));
  out.system_identifier = DatumGetInt64(column(0, 4, &is_null));
  out.archived = static_cast<uint64>(DatumGetInt64(column(0, 5, &is_null)));
  out.has_archived_head = fetch_head(0, 6, out.archived_head);
  SPI_freetuptable(SPI_tuptable);
  return true;
}

uint64 ledger_size(const Tree* tree, bool& has_head, uint8_t (&head)[audit::kHeadSize]) {
  has_head = false;
  uint64 size = tree != nullptr ? tree->archived : 0;
  if (execute(last_event, nullptr, nullptr, true) == 1) {
    bool is_null;
    size = static_cast<uint64>(DatumGetInt64(column(0, 1, &is_null))) + 1;
    has_head = fetch_head(0, 2, head);
  }
  SPI_freetuptable(SPI_tuptable);
  return size;
}

void load_head_before(uint64 seq, bool& has_head, uint8_t (&head)[audit::kHeadSize]) {
  const Datum arguments[] = {Int64GetDatum(static_cast<int64>(seq) - 1)};
  has_head = execute(find_head, arguments, nullptr, true) == 1 && fetch_head(0, 1, head);
  SPI_freetuptable(SPI_tuptable);
}

bool load_tree_key(uint32_t key_version, crypto::VerifyingKey& out) {
  const Datum arguments[] = {Int64GetDatum(key_version)};
  const bool found = execute(find_tree_key, arguments, nullptr, true) == 1;
  if (found) {
    const Bytes bytes = column_bytes(0, 1);
    if (bytes.size() != sizeof out.bytes) return false;
    memcpy(out.bytes, bytes.data(), sizeof out.bytes);
  }
  SPI_freetuptable(SPI_tuptable);
  return found;
}

uint32_t head_key_version(const uint8_t* head) {
  uint32_t version;
  memcpy(&version, head, sizeof version);
  return version;
}
const audit::Hash& head_root(const uint8_t* head) {
  return *reinterpret_cast<const audit::Hash*>(head + 4);
}
const uint8_t* head_signature(const uint8_t* head) {
  return head + 4 + audit::kHashSize;
}

Status read_subtree(void* context, int level, uint64_t index, audit::Hash& out) {
  const auto* reader = static_cast<const SubtreeReader*>(context);
  // The nearest level below that is stored, and the nodes there that make up this one.
  const int base = level - level % kStoredLevelStep;
  const int height = level - base;
  const auto first = static_cast<int64>(index << height);
  const auto count = int64{1} << height;
  uint64 rows = 0;
  if (base == 0) {
    const Datum arguments[] = {Int64GetDatum(first), Int64GetDatum(first + count)};
    rows = execute(read_leaves, arguments, nullptr, true);
  } else {
    const Datum arguments[] = {Int16GetDatum(static_cast<int16>(base)), Int64GetDatum(first),
                               Int64GetDatum(first + count)};
    rows = execute(read_nodes, arguments, nullptr, true);
  }
  if (rows != static_cast<uint64>(count))
    return Status::error(Code::kMalformed, "%lld of %lld hashes of level %d from %lld on are missing",
                         static_cast<long long>(count) - static_cast<long long>(rows),
                         static_cast<long long>(count), base, static_cast<long long>(first));
  audit::CompactRange range;
  range.size = 0;
  range.count = 0;
  Status status;
  for (uint64 row = 0; status.ok() && row < rows; ++row) {
    audit::Hash hash;
    status = fetch_hash(row, hash) ? audit::append(reader->hasher, range, hash)
                                   : Status::error(Code::kMalformed, "a hash of the tree has another size");
  }
  SPI_freetuptable(SPI_tuptable);
  VISAGE_TRY(status);
  return audit::root(reader->hasher, range, out);
}

}  // namespace visage::pg
