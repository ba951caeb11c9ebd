// Seals the known-answer vectors of a format version, once: generate FOLDER. Roots are fixed, all randomness
// is real, and the envelopes are kept for ever, so a file that exists is never written again. README.md
// describes the files.
#include <cerrno>
#include <cstdio>

#include "core/base/text_form.h"
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

}  // namespace
}  // namespace visage::test

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
    return 2;
  }
  try {
    for (auto* write :
         {visage::test::write_text, visage::test::write_source_keys, visage::test::write_wrapped_keys,
          visage::test::write_probes, visage::test::write_references})
      write(arguments[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", arguments[0], error.what());
    return 1;
  }
}
