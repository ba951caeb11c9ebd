// The known-answer vectors of the ledger must be made again for ever, byte for byte: a ledger that is not
// read as it was written proves nothing.
#include <map>
#include <sstream>

#include "core/audit/note.h"
#include "core/keys/ledger_key.h"
#include "vectors.h"

namespace visage {
namespace {

using audit::Field;
using audit::Hash;
using test::Buffer;
using test::engine;
using test::VectorRecord;

std::vector<VectorRecord> vectors(const std::string& file, size_t expected) {
  const auto records = test::read_vectors(file);
  EXPECT_EQ(records.size(), expected) << file;
  return records;
}

// Sets a field from its line and marks it; a field without a line stays unmarked.
class EventReader {
 public:
  EventReader(const VectorRecord& record, audit::EventRecord& event) : record_(record), event_(event) {}

  template <size_t kMax>
  void read(Field field, const char* name, audit::Text<kMax>& out) {
    if (has(field, name)) out.set(record_.text(name));
  }
  template <typename Enum>
  void read(Field field, const char* name, Enum& out, bool (*find)(std::string_view, Enum&)) {
    if (has(field, name)) {
      EXPECT_TRUE(find(record_.text(name), out));
    }
  }
  void read_bytes(Field field, const char* name, audit::Text<audit::kMaxCaptureLength>& out) {
    if (!has(field, name)) return;
    const Buffer bytes = record_.bytes(name);
    out.set({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  void read(Field field, const char* name, MutableBytes out) {
    if (has(field, name)) copy(name, out);
  }
  void read(Field field, const char* name, double& out) {
    if (has(field, name)) out = std::stod(record_.text(name));
  }
  void read(Field field, const char* name, uint64_t& out) {
    if (has(field, name)) out = std::stoull(record_.text(name));
  }
  void read(Field field, const char* name, int64_t& out) {
    if (has(field, name)) out = record_.number(name);
  }
  void read(Field field, const char* name, int32_t& out) {
    if (has(field, name)) out = static_cast<int32_t>(record_.number(name));
  }
  void copy(const char* name, MutableBytes out) {
    const Buffer bytes = record_.bytes(name);
    ASSERT_EQ(bytes.size(), out.size()) << name;
    std::memcpy(out.data(), bytes.data(), out.size());
  }

 private:
  bool has(Field field, const char* name) {
    if (record_.all(name).empty()) return false;
    event_.mark(field);
    return true;
  }

  const VectorRecord& record_;
  audit::EventRecord& event_;
};

audit::EventRecord read_event(const VectorRecord& record) {
  audit::EventRecord event = {};
  EventReader reader(record, event);
  EXPECT_TRUE(audit::find_operation(record.text("operation"), event.operation));
  reader.copy("transaction", event.transaction.bytes);
  event.caller.set(record.text("caller"));
  reader.read(Field::kInstitution, "institution", event.institution);
  reader.read(Field::kSubject, "subject", event.subject.bytes);
  reader.read(Field::kChannel, "channel", event.channel);
  reader.read(Field::kScenario, "scenario", event.scenario);
  reader.read(Field::kDecision, "decision", event.decision, audit::find_decision);
  reader.read(Field::kReason, "reason", event.reason, audit::find_reason);
  reader.read(Field::kTargetFmr, "target_fmr", event.target_fmr);
  reader.read(Field::kModel, "model", event.model);
  reader.read(Field::kPolicyVersion, "policy_version", event.policy_version);
  reader.read(Field::kSource, "source", event.source.bytes);
  reader.read(Field::kProbe, "probe", event.probe.bytes);
  reader.read(Field::kReference, "reference", event.reference.bytes);
  reader.read(Field::kAddress, "address", MutableBytes(event.address));
  reader.read(Field::kDevice, "device", MutableBytes(event.device));
  reader.read(Field::kBusinessId, "business_id", event.business_id);
  reader.read(Field::kElapsed, "elapsed_us", event.elapsed_us);
  reader.read(Field::kXid, "xid", event.xid);
  reader.read(Field::kSettles, "settles", event.settles);
  reader.read(Field::kObject, "object", event.object);
  reader.read(Field::kBefore, "before", MutableBytes(event.before));
  reader.read(Field::kAfter, "after", MutableBytes(event.after));
  reader.read(Field::kNote, "note", event.note);
  reader.read(Field::kDetail, "detail", MutableBytes(event.detail));
  reader.read(Field::kSession, "session", event.session.bytes);
  reader.read(Field::kRequest, "request", MutableBytes(event.request));
  reader.read_bytes(Field::kCapture, "capture", event.capture);
  return event;
}

TEST(VectorsAudit, Leaf1) {
  for (const VectorRecord& record : vectors("leaf-1.txt", 40)) {
    const Buffer head = record.all("previous_head").empty() ? Buffer() : record.bytes("previous_head");
    uint8_t leaf[audit::kMaxLeafSize];
    size_t size = 0;
    ASSERT_OK(audit::encode_leaf(read_event(record), std::stoull(record.text("seq")), record.number("at"),
                                 head, leaf, size));
    EXPECT_EQ(test::to_hex({leaf, size}), record.text("leaf"));
    for (crypto::Suite suite : test::kSuites) {
      Hash hash;
      ASSERT_OK(audit::TreeHasher(engine(), suite).leaf({leaf, size}, hash));
      EXPECT_EQ(test::to_hex(hash.view()),
                record.text(suite == crypto::Suite::kAes256Gcm ? "sha256" : "sm3"));
    }
  }
}

TEST(VectorsKeys, LedgerKey1) {
  for (const VectorRecord& record : vectors("ledger_key-1.txt", 3)) {
    keys::KeyRing ring = {};
    record.load_root("envelope_root", ring.envelope);
    crypto::SigningKey key;
    crypto::VerifyingKey verifying;
    ASSERT_OK(keys::derive_ledger_key(engine(), ring, ring.envelope.newest()->version, key));
    EXPECT_EQ(test::to_hex(key.seed), record.text("seed"));
    ASSERT_OK(crypto::public_key(key, verifying));
    EXPECT_EQ(test::to_hex(verifying.bytes), record.text("public_key"));
    uint8_t text[audit::kMaxNoteSize];
    size_t size = 0;
    ASSERT_OK(audit::format_verifier_key(record.text("origin"), verifying, text, size));
    EXPECT_EQ(std::string(text, text + size), record.text("verifier_key"));
    ASSERT_EQ(record.all("keyed_hash").size(), 8u);
    for (const std::string& line : record.all("keyed_hash")) {
      std::istringstream in(line);
      unsigned kind;
      uint32_t institution;
      std::string expected, value;
      in >> kind >> institution >> expected >> value;
      uint8_t hash[keys::kKeyedHashSize];
      ASSERT_OK(keys::keyed_hash(engine(), ring, static_cast<keys::HashedKind>(kind), institution,
                                 test::from_hex(value), hash));
      EXPECT_EQ(test::to_hex(hash), expected) << line;
    }
  }
}

// Leaves are their number, 8 bytes.
struct Tree {
  Tree(crypto::Suite suite, int64_t size) : hasher(engine(), suite) {
    for (int64_t number = 0; number < size; ++number) {
      Hash hash;
      EXPECT_OK(hasher.leaf({reinterpret_cast<const uint8_t*>(&number), sizeof number}, hash));
      keep(this, 0, static_cast<uint64_t>(number), hash);
      EXPECT_OK(audit::append(hasher, range, hash, keep, this));
    }
  }
  static void keep(void* context, int level, uint64_t index, const Hash& hash) {
    static_cast<Tree*>(context)->kept[{level, index}] = hash;
  }
  static Status find(void* context, int level, uint64_t index, Hash& out) {
    out = static_cast<Tree*>(context)->kept.at({level, index});
    return {};
  }
  Hash root() const {
    Hash made = {};
    EXPECT_OK(audit::root(hasher, range, made));
    return made;
  }

  audit::TreeHasher hasher;
  audit::CompactRange range = {};
  std::map<std::pair<int, uint64_t>, Hash> kept;
};

std::string line_of(uint64_t place, const audit::Proof& proof) {
  std::string line = std::to_string(place);
  for (uint32_t i = 0; i < proof.count; ++i) line += " " + test::to_hex(proof.hashes[i].view());
  return line;
}

TEST(VectorsAudit, Tree1) {
  for (const VectorRecord& record : vectors("tree-1.txt", 14)) {
    Tree tree(record.suite(), record.number("size"));
    EXPECT_EQ(test::to_hex(tree.root().view()), record.text("root"));
    const uint64_t size = tree.range.size;
    audit::Proof proof;
    ASSERT_EQ(record.all("inclusion").size(), size == 0 ? 0u : 3u);
    for (const std::string& line : record.all("inclusion")) {
      ASSERT_OK(audit::inclusion_proof(tree.hasher, std::stoull(line), size, Tree::find, &tree, proof));
      EXPECT_EQ(line_of(std::stoull(line), proof), line);
    }
    for (const std::string& line : record.all("consistency")) {
      ASSERT_OK(audit::consistency_proof(tree.hasher, std::stoull(line), size, Tree::find, &tree, proof));
      EXPECT_EQ(line_of(std::stoull(line), proof), line);
    }
  }
}

TEST(VectorsAudit, Head1) {
  for (const VectorRecord& record : vectors("head-1.txt", 4)) {
    keys::KeyRing ring = {};
    record.load_root("envelope_root", ring.envelope);
    const Buffer head = record.bytes("head"), note = record.bytes("note");
    Reader reader(head);
    const auto version = reader.number<uint32_t>();
    crypto::SigningKey key;
    crypto::VerifyingKey verifying;
    ASSERT_OK(keys::derive_ledger_key(engine(), ring, version, key));
    ASSERT_OK(crypto::public_key(key, verifying));
    audit::Checkpoint checkpoint = {}, read = {};
    checkpoint.origin.set(record.text("origin"));
    checkpoint.size = static_cast<uint64_t>(record.number("size"));
    reader.copy(checkpoint.root.bytes, audit::kHashSize);
    EXPECT_EQ(checkpoint.root, Tree(record.suite(), record.number("size")).root());
    const Bytes signature = reader.take(audit::kSignatureSize);
    ASSERT_TRUE(reader.ok() && reader.remaining() == 0);
    EXPECT_OK(audit::verify_checkpoint(checkpoint, verifying, signature.data()));

    uint8_t text[audit::kMaxNoteSize];
    size_t size = 0;
    ASSERT_OK(audit::format_note(checkpoint, verifying, signature.data(), text, size));
    EXPECT_EQ(test::to_hex({text, size}), record.text("note"));
    ASSERT_OK(audit::parse_note({reinterpret_cast<const char*>(note.data()), note.size()}, verifying,
                                record.text("origin"), read));
    EXPECT_EQ(read.size, checkpoint.size);
    EXPECT_EQ(read.root, checkpoint.root);
  }
}

}  // namespace
}  // namespace visage
