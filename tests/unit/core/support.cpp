#include "support.h"

#include <bit>
#include <memory>

namespace visage::test {

crypto::Engine& engine() {
  static const std::unique_ptr<crypto::Engine> instance(crypto::Engine::create());
  if (instance == nullptr) throw std::runtime_error("libcrypto lacks a suite");
  return *instance;
}

Buffer from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) throw std::invalid_argument("odd hex");
  Buffer bytes;
  for (size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoul(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

std::string to_hex(Bytes bytes) {
  std::string hex;
  for (uint8_t byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

Buffer random_bytes(std::mt19937_64& random, size_t size) {
  Buffer bytes(size);
  for (auto& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

const keys::KeyRing& ring() {
  static const keys::KeyRing instance = [] {
    keys::KeyRing made = {};
    const auto add = [](keys::RootSet& roots, uint32_t version, uint8_t first) {
      Buffer key(keys::kMinRootSize);
      for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<uint8_t>(first + 7 * i);
      const Status status = keys::add_root(engine(), roots, version, key);
      if (!status.ok()) throw std::runtime_error(status.message);
    };
    add(made.envelope, 1, 0x11);
    add(made.envelope, 3, 0x33);
    add(made.transform, 2, 0x22);
    add(made.transform, 5, 0x55);
    return made;
  }();
  return instance;
}

keys::RootSet with_changed_root(const keys::RootSet& roots, uint32_t version, size_t byte) {
  keys::RootSet changed = {};
  for (uint32_t i = 0; i < roots.count; ++i) {
    Buffer key(roots.roots[i].bytes, roots.roots[i].bytes + roots.roots[i].size);
    if (roots.roots[i].version == version) key.at(byte) ^= 1;
    EXPECT_OK(keys::add_root(engine(), changed, roots.roots[i].version, key));
  }
  return changed;
}

Uuid uuid(uint8_t fill) {
  Uuid made;
  std::memset(made.bytes, fill, sizeof made.bytes);
  return made;
}

namespace {

std::vector<double> gaussians(std::mt19937_64& random, size_t count) {
  std::normal_distribution<double> normal;
  std::vector<double> values(count);
  for (auto& value : values) value = normal(random);
  return values;
}

std::vector<float> unit(const std::vector<double>& values) {
  double norm = 0;
  for (double value : values) norm += value * value;
  std::vector<float> scaled;
  for (double value : values) scaled.push_back(static_cast<float>(value / std::sqrt(norm)));
  return scaled;
}

}  // namespace

std::vector<float> random_feature(std::mt19937_64& random, size_t dimension) {
  return unit(gaussians(random, dimension));
}

std::vector<float> feature_at(std::mt19937_64& random, const std::vector<float>& feature, double cosine) {
  std::vector<double> other = gaussians(random, feature.size());
  double along = 0, norm = 0;
  for (size_t i = 0; i < other.size(); ++i) along += other[i] * feature[i];
  for (size_t i = 0; i < other.size(); ++i) other[i] -= along * feature[i];
  for (double value : other) norm += value * value;
  for (size_t i = 0; i < other.size(); ++i)
    other[i] = cosine * feature[i] + std::sqrt(1 - cosine * cosine) * other[i] / std::sqrt(norm);
  return unit(other);
}

probe::Contents contents_of(const std::vector<float>& feature, std::string_view model) {
  probe::Contents contents = {};
  EXPECT_OK(probe::set_feature(feature, contents));
  EXPECT_OK(probe::set_model(model, contents));
  return contents;
}

probe::SourceKey source_key(Suite suite) {
  probe::SourceKey key;
  EXPECT_OK(keys::derive_source_key(engine(), ring(), suite, 3, 1, uuid(0x5C), 1, key));
  return key;
}

Buffer sealed_probe(const probe::SourceKey& key, const probe::Contents& contents) {
  probe::Header header = {};
  header.captured_at = 1'000'000;
  header.expires_at = 61'000'000;
  std::memset(header.session_nonce, 0x77, sizeof header.session_nonce);
  Buffer envelope(probe::sealed_size(key.suite, contents));
  EXPECT_OK(probe::seal(engine(), key, header, contents, envelope));
  return envelope;
}

Status open_probe(const probe::SourceKey& key, Bytes envelope, probe::Contents& contents) {
  probe::Header header;
  return probe::open(engine(), {key.key, probe::kSourceKeySize}, envelope, header, contents);
}

reference::Stored stored(Bytes envelope) {
  reference::Header header = {};
  if (!reference::parse(envelope, header).ok()) return {Uuid{}, 0, envelope};
  return {header.reference, header.generation, envelope};
}

Subject::Subject(const keys::Owner& owner, Suite suite, const keys::KeyRing& keys)
    : owner(owner), suite(suite), keys(&keys), wrapped(keys::wrapped_size(suite)) {
  EXPECT_OK(keys::new_subject_key(engine(), keys, suite, owner, wrapped));
  EXPECT_OK(keys::unwrap_subject_key(engine(), keys, owner, wrapped, key));
}

Buffer Subject::enrol(const probe::Contents& contents, size_t code_bits, uint32_t generation) const {
  reference::Header header = {};
  header.suite = suite;
  header.scheme = reference::kSchemeRfr1;
  header.code_bits = static_cast<uint16_t>(code_bits);
  header.owner = owner;
  header.generation = generation;
  Buffer envelope(reference::sealed_size(suite, code_bits));
  EXPECT_OK(reference::protect(engine(), *keys, key, contents, header, envelope));
  return envelope;
}

Status Subject::open(Bytes envelope, reference::Opened& opened) const {
  reference::Header header;
  return reference::open(engine(), *keys, owner, key, stored(envelope), header, opened);
}

Status Subject::compare(Bytes envelope, const probe::Contents& contents,
                        match::Comparison& comparison) const {
  return match::compare(engine(), *keys, owner, key, stored(envelope), contents, comparison);
}

double Subject::score(Bytes envelope, const probe::Contents& contents) const {
  match::Comparison comparison = {};
  EXPECT_OK(compare(envelope, contents, comparison));
  EXPECT_TRUE(comparison.comparable);
  return comparison.score;
}

size_t differing_bits(Bytes a, Bytes b) {
  size_t count = 0;
  for (size_t i = 0; i < a.size(); ++i)
    count += static_cast<size_t>(std::popcount(static_cast<uint8_t>(a[i] ^ b[i])));
  return count;
}

}  // namespace visage::test
