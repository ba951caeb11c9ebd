// Seals the known-answer vectors of a format version, once: generate FOLDER. Roots are fixed, all randomness
// is real, and the envelopes are kept for ever, so a file that exists is never written again. README.md
// describes the files.
#include <cerrno>
#include <cstdio>
#include <map>
#include <system_error>

#include "core/audit/note.h"
#include "core/base/text_form.h"
#include "core/gallery/code.h"
#include "core/keys/ledger_key.h"
#include "support.h"
#include "vectors.h"

namespace visage::test {
namespace {

void check(const Status& status) {
  if (!status.ok()) throw std::runtime_error(status.message);
}

keys::RootSet root(uint32_t version, uint32_t size, const char* name) {
  uint8_t key[keys::kMaxRootSize];
  crypto::sha256(as_bytes(std::string(name) + " 1"), key);
  crypto::sha256(as_bytes(std::string(name) + " 2"), key + 32);
  keys::RootSet made = {};
  check(keys::add_root(engine(), made, version, {key, size}));
  return made;
}

class File {
 public:
  File(const std::string& folder, const char* name, const char* about) {
    const std::string path = folder + "/" + name;
    file_ = std::fopen(path.c_str(), "wx");
    if (file_ == nullptr) throw std::system_error(errno, std::generic_category(), path);
    std::fprintf(file_, "# %s. Made once by generate.cpp; see README.md.\n", about);
  }
  ~File() { std::fclose(file_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void record() { std::fputc('\n', file_); }
  void text(const char* name, const std::string& value) {
    std::fprintf(file_, "%s = %s\n", name, value.c_str());
  }
  void number(const char* name, int64_t value) { text(name, std::to_string(value)); }
  void bytes(const char* name, Bytes value) { text(name, to_hex(value)); }
  void root(const char* name, const keys::Root& value) {
    text(name, std::to_string(value.version) + " " + to_hex(value.view()));
  }

 private:
  std::FILE* file_;
};

constexpr size_t kDimensions[] = {64, 128, 512, 513, 2048};

void write_text(const std::string& folder) {
  File file(folder, "text-1.txt", "Text form");
  for (size_t size : {0u, 1u, 2u, 3u, 4u, 31u, 32u, 33u, 264u}) {
    Buffer bytes(size);
    check(engine().random(bytes));
    std::string text(encoded_text_size(size), ' ');
    encode_text(bytes, text.data());
    file.record();
    file.bytes("bytes", bytes);
    file.text("text", text);
  }
}

void write_source_keys(const std::string& folder) {
  File file(folder, "source_key-1.txt", "Keys of capture sources");
  for (Suite suite : kSuites)
    for (uint32_t generation : {1u, 70000u}) {
      keys::KeyRing ring = {};
      ring.envelope = root(generation, generation == 1 ? 32 : 64, "envelope root");
      Uuid source;
      check(engine().random_uuid(source));
      probe::SourceKey key;
      check(keys::derive_source_key(engine(), ring, suite, generation, 12, source, generation, key));
      char text[probe::kMaxSourceKeyText];
      check(probe::encode_source_key(key, text, sizeof text));
      file.record();
      file.number("suite", static_cast<int>(suite));
      file.root("envelope_root", ring.envelope.roots[0]);
      file.number("institution", 12);
      file.bytes("source", source.view());
      file.number("generation", generation);
      file.bytes("key", {key.key, probe::kSourceKeySize});
      file.text("text", text);
    }
}

void write_wrapped_keys(const std::string& folder) {
  File file(folder, "wrapped_key-1.txt", "Wrapped subject keys");
  for (Suite suite : kSuites)
    for (uint32_t size : {32u, 64u}) {
      keys::KeyRing ring = {};
      ring.envelope = root(size, size, "envelope root");
      keys::Owner owner = {size, {}};
      check(engine().random_uuid(owner.subject));
      Buffer wrapped(keys::wrapped_size(suite));
      check(keys::new_subject_key(engine(), ring, suite, owner, wrapped));
      keys::SubjectKey key;
      check(keys::unwrap_subject_key(engine(), ring, owner, wrapped, key));
      file.record();
      file.number("suite", static_cast<int>(suite));
      file.root("envelope_root", ring.envelope.roots[0]);
      file.number("institution", owner.institution);
      file.bytes("subject", owner.subject.view());
      file.bytes("wrapped", wrapped);
      file.bytes("subject_key", key.view());
    }
}

void write_probes(const std::string& folder) {
  File file(folder, "probe-1.txt", "Sealed probes");
  keys::KeyRing ring = {};
  ring.envelope = root(3, 32, "envelope root");
  uint32_t seed = 100;
  for (Suite suite : kSuites)
    for (size_t dimension : kDimensions) {
      ++seed;
      Uuid source;
      check(engine().random_uuid(source));
      probe::SourceKey key;
      check(keys::derive_source_key(engine(), ring, suite, 3, 7, source, 2, key));
      probe::Contents contents = {};
      check(probe::set_feature(formula_feature(seed, dimension), contents));
      check(probe::set_model("vector/" + std::to_string(dimension), contents));
      check(engine().random(contents.image_digest));
      // As many entries as the seed's last digits say, so that empty sections occur too.
      contents.liveness_count = static_cast<uint8_t>(seed % 3);
      for (size_t i = 0; i < contents.liveness_count; ++i)
        contents.liveness[i] = {static_cast<probe::LivenessMethod>(i + 1), 0.25f * static_cast<float>(i + 1)};
      contents.quality_count = static_cast<uint8_t>(seed % 4);
      for (size_t i = 0; i < contents.quality_count; ++i)
        contents.quality[i] = {static_cast<probe::Measure>(0x52 + i),
                               static_cast<uint8_t>(i == 0 ? 255 : 10 * i),
                               -1.5f + 64.0f * static_cast<float>(i)};
      probe::Header header = {};
      header.captured_at = 1'700'000'000'000'000 + seed;
      header.expires_at = header.captured_at + 60'000'000;
      if (seed % 2 == 1) check(engine().random(header.session_nonce));
      Buffer envelope(probe::sealed_size(suite, contents));
      check(probe::seal(engine(), key, header, contents, envelope));

      file.record();
      file.number("suite", static_cast<int>(suite));
      file.root("envelope_root", ring.envelope.roots[0]);
      file.number("institution", 7);
      file.bytes("source", source.view());
      file.number("generation", 2);
      file.bytes("probe", header.probe.view());
      file.number("captured_at", header.captured_at);
      file.number("expires_at", header.expires_at);
      file.bytes("session_nonce", header.session_nonce);
      file.number("dimension", static_cast<int64_t>(dimension));
      file.number("feature_seed", seed);
      file.text("model", contents.model);
      file.bytes("image_digest", contents.image_digest);
      for (size_t i = 0; i < contents.liveness_count; ++i)
        file.text("liveness", std::to_string(static_cast<int>(contents.liveness[i].method)) + " " +
                                  std::to_string(contents.liveness[i].value));
      for (size_t i = 0; i < contents.quality_count; ++i)
        file.text("quality", std::to_string(static_cast<int>(contents.quality[i].measure)) + " " +
                                 std::to_string(contents.quality[i].scalar) + " " +
                                 std::to_string(contents.quality[i].native));
      file.bytes("envelope", envelope);
    }
}

void write_reference(File& file, const keys::KeyRing& ring, Suite suite, size_t dimension, size_t code_bits,
                     uint32_t seed) {
  keys::Owner owner = {9, {}};
  check(engine().random_uuid(owner.subject));
  const Subject subject(owner, suite, ring);
  const std::string model = "vector/" + std::to_string(dimension);
  const probe::Contents contents = contents_of(formula_feature(seed, dimension), model);
  const Buffer envelope = subject.enrol(contents, code_bits, 4);
  reference::Opened opened;
  check(subject.open(envelope, opened));
  uint8_t digest[crypto::kDigestSize];
  crypto::sha256({opened.masks, reference::mask_size(dimension, code_bits)}, digest);

  file.record();
  file.number("suite", static_cast<int>(suite));
  file.root("envelope_root", ring.envelope.roots[0]);
  file.root("transform_root", ring.transform.roots[0]);
  file.number("institution", owner.institution);
  file.bytes("subject", owner.subject.view());
  file.bytes("wrapped", subject.wrapped);
  file.bytes("subject_key", subject.key.view());
  file.bytes("reference", stored(envelope).id.view());
  file.number("generation", 4);
  file.number("code_bits", static_cast<int64_t>(code_bits));
  file.number("dimension", static_cast<int64_t>(dimension));
  file.text("model", model);
  file.number("feature_seed", seed);
  file.bytes("envelope", envelope);
  file.bytes("code", {opened.code, code_bits / 8});
  file.bytes("masks_sha256", digest);
  for (const auto& [own, other] : {std::pair{1, 0}, {0, 1}, {3, 4}, {-1, 0}}) {
    const auto probe = contents_of(mixed_feature(seed, dimension, own, other), model);
    char line[64];
    std::snprintf(line, sizeof line, "%d %d %.9f", own, other, subject.score(envelope, probe));
    file.text("score", line);
  }
}

void write_gallery_codes(const std::string& folder) {
  File file(folder, "gallery_code-1.txt", "Gallery codes");
  keys::KeyRing ring = {};
  ring.envelope = root(2, 32, "envelope root");
  ring.transform = root(6, 48, "transform root");
  uint32_t seed = 300;
  for (Suite suite : kSuites)
    for (size_t dimension : kDimensions) {
      ++seed;
      gallery::CodeOwner of = {{9, {}}, {}, seed};
      check(engine().random_uuid(of.owner.subject));
      check(engine().random_uuid(of.reference));
      const Subject subject(of.owner, suite, ring);
      const std::string model = "vector/" + std::to_string(dimension);
      const probe::Contents contents = contents_of(formula_feature(seed, dimension), model);
      gallery::Epoch epoch = {};
      // An epoch outlives a change of suite.
      epoch.suite = kSuites[seed % 2];
      epoch.institution = of.owner.institution;
      epoch.number = seed - 300;
      epoch.dimension = contents.dimension;
      std::memcpy(epoch.model_digest, contents.model_digest, sizeof epoch.model_digest);
      check(gallery::begin_epoch(engine(), ring, epoch));
      gallery::EpochMasks masks;
      check(gallery::derive_masks(engine(), ring, epoch, masks));
      gallery::SignCode code;
      check(gallery::make_code(epoch, masks, contents, code));
      Buffer sealed(gallery::sealed_code_size(suite));
      check(gallery::seal_code(engine(), ring, subject.key, suite, epoch, masks, of, code, sealed));

      file.record();
      file.number("suite", static_cast<int>(suite));
      file.root("envelope_root", ring.envelope.roots[0]);
      file.root("transform_root", ring.transform.roots[0]);
      file.number("institution", of.owner.institution);
      file.bytes("subject", of.owner.subject.view());
      file.bytes("wrapped", subject.wrapped);
      file.bytes("subject_key", subject.key.view());
      file.bytes("reference", of.reference.view());
      file.number("generation", of.generation);
      file.number("epoch", epoch.number);
      file.number("epoch_suite", static_cast<int>(epoch.suite));
      file.bytes("salt", epoch.salt);
      file.number("dimension", static_cast<int64_t>(dimension));
      file.text("model", model);
      file.number("feature_seed", seed);
      file.bytes("sealed", sealed);
      file.bytes("code", code.view());
    }
}

void write_references(const std::string& folder) {
  File file(folder, "reference-1.txt", "References, scheme RFR-1");
  keys::KeyRing ring = {};
  ring.envelope = root(2, 32, "envelope root");
  ring.transform = root(6, 48, "transform root");
  uint32_t seed = 200;
  for (Suite suite : kSuites) {
    for (size_t dimension : kDimensions) write_reference(file, ring, suite, dimension, 1024, ++seed);
    write_reference(file, ring, suite, 128, 512, ++seed);
    write_reference(file, ring, suite, 100, 2048, ++seed);
    write_reference(file, ring, suite, 2048, 512, ++seed);
  }
}

// A field that the event does not have has no line.
void write_leaf(File& file, const audit::EventRecord& event, uint64_t seq, int64_t at, Bytes head) {
  using audit::Field;
  const auto text = [&](Field field, const char* name, std::string_view value) {
    if (event.has(field)) file.text(name, std::string(value));
  };
  const auto number = [&](Field field, const char* name, auto value) {
    if (event.has(field)) file.text(name, std::to_string(value));
  };
  const auto bytes = [&](Field field, const char* name, Bytes value) {
    if (event.has(field)) file.bytes(name, value);
  };
  uint8_t leaf[audit::kMaxLeafSize];
  size_t size;
  check(audit::encode_leaf(event, seq, at, head, leaf, size));
  file.record();
  file.text("seq", std::to_string(seq));
  file.number("at", at);
  file.text("operation", audit::label(event.operation));
  file.bytes("transaction", event.transaction.view());
  file.text("caller", std::string(event.caller.view()));
  number(Field::kInstitution, "institution", event.institution);
  bytes(Field::kSubject, "subject", event.subject.view());
  text(Field::kChannel, "channel", event.channel.view());
  text(Field::kScenario, "scenario", event.scenario.view());
  text(Field::kDecision, "decision", audit::label(event.decision));
  text(Field::kReason, "reason", audit::label(event.reason));
  if (event.has(Field::kTargetFmr)) {
    char shortest[32];
    std::snprintf(shortest, sizeof shortest, "%.17g", event.target_fmr);
    file.text("target_fmr", shortest);
  }
  text(Field::kModel, "model", event.model.view());
  number(Field::kPolicyVersion, "policy_version", event.policy_version);
  bytes(Field::kSource, "source", event.source.view());
  bytes(Field::kProbe, "probe", event.probe.view());
  bytes(Field::kReference, "reference", event.reference.view());
  bytes(Field::kAddress, "address", event.address);
  bytes(Field::kDevice, "device", event.device);
  text(Field::kBusinessId, "business_id", event.business_id.view());
  number(Field::kElapsed, "elapsed_us", event.elapsed_us);
  number(Field::kXid, "xid", event.xid);
  number(Field::kSettles, "settles", event.settles);
  text(Field::kObject, "object", event.object.view());
  bytes(Field::kBefore, "before", event.before);
  bytes(Field::kAfter, "after", event.after);
  text(Field::kNote, "note", event.note.view());
  bytes(Field::kDetail, "detail", event.detail);
  bytes(Field::kSession, "session", event.session.view());
  bytes(Field::kRequest, "request", event.request);
  bytes(Field::kCapture, "capture", as_bytes(event.capture.view()));
  if (!head.empty()) file.bytes("previous_head", head);
  file.bytes("leaf", {leaf, size});
  for (Suite suite : kSuites) {
    audit::Hash hash;
    check(audit::TreeHasher(engine(), suite).leaf({leaf, size}, hash));
    file.bytes(suite == Suite::kAes256Gcm ? "sha256" : "sm3", hash.view());
  }
}

template <typename T>
void randomize(T& value) {
  check(engine().random({reinterpret_cast<uint8_t*>(&value), sizeof value}));
}

audit::EventRecord event_of(audit::Operation operation, std::initializer_list<audit::Field> fields) {
  audit::EventRecord event = {};
  for (audit::Field field : fields) event.mark(field);
  event.operation = operation;
  for (Uuid* id : {&event.transaction, &event.subject, &event.source, &event.probe, &event.reference})
    check(engine().random_uuid(*id));
  randomize(event.address);
  randomize(event.device);
  randomize(event.before);
  randomize(event.after);
  randomize(event.detail);
  randomize(event.session);
  randomize(event.request);
  event.caller.set("core_banking");
  event.channel.set("mobile");
  event.scenario.set("payment");
  event.model.set("vector/512");
  event.decision = audit::Decision::kAccept;
  event.reason = audit::Reason::kOk;
  event.institution = 1;
  event.target_fmr = 1e-5;
  event.policy_version = 42;
  event.elapsed_us = 1234;
  event.xid = 987654321;
  return event;
}

void write_leaves(const std::string& folder) {
  using audit::Field;
  using audit::Operation;
  File file(folder, "leaf-1.txt", "Leaves of the ledger");
  constexpr int64_t kAt = 1'790'000'000'000'000;
  uint8_t head[audit::kHeadSize];
  randomize(head);

  write_leaf(file, event_of(Operation::kOpenLedger, {}), 0, kAt, {});
  write_leaf(
      file,
      event_of(Operation::kVerify,
               {Field::kInstitution, Field::kSubject, Field::kChannel, Field::kScenario, Field::kDecision,
                Field::kReason, Field::kTargetFmr, Field::kModel, Field::kPolicyVersion, Field::kSource,
                Field::kProbe, Field::kReference, Field::kElapsed, Field::kXid}),
      1, kAt + 1, head);
  audit::EventRecord event =
      event_of(Operation::kRegister, {Field::kInstitution, Field::kDecision, Field::kReason, Field::kAddress,
                                      Field::kDevice, Field::kBusinessId});
  event.decision = audit::Decision::kRefuse;
  event.reason = audit::Reason::kSubjectExists;
  event.business_id.set("order 4711/\xC3\xA9");
  write_leaf(file, event, 2, kAt + 2, {});
  event = event_of(Operation::kSettle, {Field::kXid, Field::kSettles, Field::kNote});
  event.settles = 2;
  event.note.set("");
  write_leaf(file, event, 3, kAt + 3, head);
  event = event_of(Operation::kChange, {Field::kObject, Field::kBefore, Field::kAfter, Field::kDetail});
  event.object.set("channel mobile");
  write_leaf(file, event, 4, kAt + 4, {});

  event = event_of(Operation::kRotateLedgerKey, {});
  event.fields = audit::kAllFields;
  event.decision = audit::Decision::kReject;
  event.reason = audit::Reason::kUnknownReference;
  event.institution = INT32_MIN;
  event.policy_version = INT32_MAX;
  event.target_fmr = -0.0;
  event.elapsed_us = INT64_MIN;
  event.settles = INT64_MAX;
  event.xid = UINT64_MAX;
  const std::string letters(audit::kMaxNoteLength, 'x');
  for (auto* text : {&event.channel, &event.scenario, &event.caller, &event.model}) text->set(letters);
  event.business_id.set(letters);
  event.object.set(letters);
  event.note.set(letters);
  event.capture.set(std::string(audit::kMaxCaptureLength, 'x'));
  write_leaf(file, event, UINT64_MAX, INT64_MIN, head);

  event = event_of(Operation::kCompare, {});
  for (int reason = 1; reason < static_cast<int>(audit::Reason::kCount); ++reason) {
    event.fields = static_cast<uint32_t>(Field::kDecision) | static_cast<uint32_t>(Field::kReason);
    event.operation = static_cast<Operation>(reason % static_cast<int>(Operation::kCount));
    event.decision = static_cast<audit::Decision>(1 + reason % 3);
    event.reason = static_cast<audit::Reason>(reason);
    write_leaf(file, event, 100 + static_cast<uint64_t>(reason), kAt, {});
  }
}

constexpr const char* kOrigin = "ledger.example/vectors";

std::string text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write_ledger_keys(const std::string& folder) {
  File file(folder, "ledger_key-1.txt", "The ledger's keys and keyed hashes");
  for (uint32_t size : {32u, 48u, 64u}) {
    keys::KeyRing ring = {};
    ring.envelope = root(size, size, "envelope root");
    crypto::SigningKey key;
    crypto::VerifyingKey verifying;
    check(keys::derive_ledger_key(engine(), ring, size, key));
    check(crypto::public_key(key, verifying));
    uint8_t text[audit::kMaxNoteSize];
    size_t text_size;
    check(audit::format_verifier_key(kOrigin, verifying, text, text_size));
    file.record();
    file.root("envelope_root", ring.envelope.roots[0]);
    file.bytes("seed", key.seed);
    file.bytes("public_key", verifying.bytes);
    file.text("origin", kOrigin);
    file.text("verifier_key", text_of({text, text_size}));
    for (uint8_t kind = 1; kind <= 4; ++kind)
      for (std::string_view value : {"", "192.0.2.1"}) {
        uint8_t hash[keys::kKeyedHashSize];
        const uint32_t institution = kind * 70000u;
        check(keys::keyed_hash(engine(), ring, static_cast<keys::HashedKind>(kind), institution,
                               as_bytes(value), hash));
        file.text("keyed_hash", std::to_string(kind) + " " + std::to_string(institution) + " " +
                                    to_hex(hash) + " " + to_hex(as_bytes(value)));
      }
  }
}

// A tree of leaves that are their number, 8 bytes.
struct FormulaTree {
  FormulaTree(Suite suite, uint64_t size) : hasher(engine(), suite) {
    for (uint64_t number = 0; number < size; ++number) {
      audit::Hash hash;
      check(hasher.leaf({reinterpret_cast<const uint8_t*>(&number), sizeof number}, hash));
      keep(this, 0, number, hash);
      check(audit::append(hasher, range, hash, keep, this));
    }
  }
  static void keep(void* context, int level, uint64_t index, const audit::Hash& hash) {
    static_cast<FormulaTree*>(context)->kept[{level, index}] = hash;
  }
  static Status find(void* context, int level, uint64_t index, audit::Hash& out) {
    out = static_cast<FormulaTree*>(context)->kept.at({level, index});
    return {};
  }

  audit::TreeHasher hasher;
  audit::CompactRange range = {};
  std::map<std::pair<int, uint64_t>, audit::Hash> kept;
};

std::string line_of(uint64_t place, const audit::Proof& proof) {
  std::string line = std::to_string(place);
  for (uint32_t i = 0; i < proof.count; ++i) line += " " + to_hex(proof.hashes[i].view());
  return line;
}

void write_trees(const std::string& folder) {
  File file(folder, "tree-1.txt", "Trees and proofs");
  for (Suite suite : kSuites)
    for (uint64_t size : {0u, 1u, 2u, 3u, 7u, 8u, 100u}) {
      FormulaTree tree(suite, size);
      audit::Hash made;
      check(audit::root(tree.hasher, tree.range, made));
      file.record();
      file.number("suite", static_cast<int>(suite));
      file.number("size", static_cast<int64_t>(size));
      file.bytes("root", made.view());
      audit::Proof proof;
      for (uint64_t place : {uint64_t{0}, size / 3, size - 1}) {
        if (size == 0) break;
        check(audit::inclusion_proof(tree.hasher, place, size, FormulaTree::find, &tree, proof));
        file.text("inclusion", line_of(place, proof));
        check(audit::consistency_proof(tree.hasher, place + 1, size, FormulaTree::find, &tree, proof));
        file.text("consistency", line_of(place + 1, proof));
      }
    }
}

void write_heads(const std::string& folder) {
  File file(folder, "head-1.txt", "Tree heads and their notes");
  for (Suite suite : kSuites)
    for (uint64_t size : {1u, 100u}) {
      keys::KeyRing ring = {};
      ring.envelope = root(7, 32, "envelope root");
      crypto::SigningKey key;
      crypto::VerifyingKey verifying;
      check(keys::derive_ledger_key(engine(), ring, 7, key));
      check(crypto::public_key(key, verifying));
      FormulaTree tree(suite, size);
      audit::Checkpoint checkpoint = {};
      checkpoint.origin.set(kOrigin);
      checkpoint.size = size;
      check(audit::root(tree.hasher, tree.range, checkpoint.root));
      uint8_t head[audit::kHeadSize], note[audit::kMaxNoteSize];
      Writer writer(head);
      writer.number(uint32_t{7});
      writer.bytes(checkpoint.root.view());
      uint8_t* const signature = head + writer.position();
      check(audit::sign_checkpoint(checkpoint, key, signature));
      size_t note_size;
      check(audit::format_note(checkpoint, verifying, signature, note, note_size));
      file.record();
      file.number("suite", static_cast<int>(suite));
      file.root("envelope_root", ring.envelope.roots[0]);
      file.text("origin", kOrigin);
      file.number("size", static_cast<int64_t>(size));
      file.bytes("head", head);
      file.bytes("note", {note, note_size});
    }
}

}  // namespace
}  // namespace visage::test

namespace {

using Write = void (*)(const std::string& folder);

// A file that is there stays as it is.
void write_if_new(Write write, const std::string& folder) {
  try {
    write(folder);
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::file_exists) throw;
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
    return 2;
  }
  try {
    using namespace visage::test;
    for (const Write write :
         {write_text, write_source_keys, write_wrapped_keys, write_probes, write_references,
          write_gallery_codes, write_leaves, write_ledger_keys, write_trees, write_heads})
      write_if_new(write, arguments[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", arguments[0], error.what());
    return 1;
  }
}
