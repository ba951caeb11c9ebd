#include "core/keys/subject_key.h"

#include "core/crypto/envelope.h"

namespace visage::keys {
namespace {

constexpr crypto::Envelope kEnvelope = {'K', 1, "wrapped subject key"};
constexpr std::string_view kWrapAadLabel = "visage/subject-key/1";
constexpr std::string_view kSourceLabel = "visage/probe-source/1";

struct WrapAad {
  uint8_t bytes[kWrapAadLabel.size() + kWrappedHeaderSize];
  explicit WrapAad(Bytes header) {
    std::memcpy(bytes, kWrapAadLabel.data(), kWrapAadLabel.size());
    std::memcpy(bytes + kWrapAadLabel.size(), header.data(), kWrappedHeaderSize);
  }
};

struct WrappedHeader {
  crypto::Suite suite;
  uint32_t key_version;
  uint32_t institution;
  Uuid subject;
  Bytes nonce;
};

Status parse_wrapped(Bytes wrapped, WrappedHeader& header) {
  Reader reader(wrapped);
  uint8_t reserved = 0;
  VISAGE_TRY(crypto::read_beginning(reader, kEnvelope, header.suite, reserved));
  header.key_version = reader.number<uint32_t>();
  header.institution = reader.number<uint32_t>();
  header.subject = reader.uuid();
  header.nonce = reader.take(crypto::kNonceSize);
  if (!reader.ok() || wrapped.size() != wrapped_size(header.suite))
    return Status::error(Code::kMalformed, "wrapped subject key has the wrong length");
  if (reserved != 0 || header.key_version == 0 || header.institution == 0)
    return Status::error(Code::kMalformed,
                         "wrapped subject key has a reserved or zero field that must not be");
  return {};
}

Status wrap(crypto::Engine& engine, const KeyRing& ring, crypto::Suite suite, const Owner& owner,
            const SubjectKey& subject_key, MutableBytes out) {
  const Root* root = ring.envelope.newest();
  if (root == nullptr) return Status::error(Code::kKeyMissing, "no envelope key is loaded");
  if (out.size() != wrapped_size(suite))
    return Status::error(Code::kInternal, "wrapped key buffer has the wrong size");
  uint8_t nonce[crypto::kNonceSize];
  VISAGE_TRY(engine.random(nonce));
  Writer writer(out);
  crypto::write_beginning(writer, kEnvelope, suite);
  writer.number(root->version);
  writer.number(owner.institution);
  writer.uuid(owner.subject);
  writer.write(nonce, sizeof nonce);
  const WrapAad aad(out);
  return engine.seal(suite, root->wrap_key(suite), nonce, aad.bytes, subject_key.view(),
                     out.subspan(kWrappedHeaderSize));
}

}  // namespace

Status find_root(const RootSet& roots, uint32_t version, const char* custody, const Root*& out) {
  out = roots.find(version);
  if (out != nullptr) return {};
  return Status::error(Code::kKeyMissing, "%s key version %u is not loaded", custody, version);
}

Status new_subject_key(crypto::Engine& engine, const KeyRing& ring, crypto::Suite suite, const Owner& owner,
                       MutableBytes out) {
  Secret<SubjectKey> subject_key;
  VISAGE_TRY(engine.random(subject_key.value.span()));
  return wrap(engine, ring, suite, owner, subject_key.value, out);
}

Status rewrap_subject_key(crypto::Engine& engine, const KeyRing& ring, const Owner& owner, Bytes wrapped,
                          MutableBytes out) {
  WrappedHeader header;
  VISAGE_TRY(parse_wrapped(wrapped, header));
  Secret<SubjectKey> subject_key;
  VISAGE_TRY(unwrap_subject_key(engine, ring, owner, wrapped, subject_key.value));
  return wrap(engine, ring, header.suite, owner, subject_key.value, out);
}

Status unwrap_subject_key(crypto::Engine& engine, const KeyRing& ring, const Owner& owner, Bytes wrapped,
                          SubjectKey& out) {
  WrappedHeader header;
  VISAGE_TRY(parse_wrapped(wrapped, header));
  if (header.institution != owner.institution || !(header.subject == owner.subject))
    return Status::error(Code::kAuthenticationFailed, "subject key belongs to another subject");
  const Root* root;
  VISAGE_TRY(find_root(ring.envelope, header.key_version, "envelope", root));
  const WrapAad aad(wrapped);
  Status status = engine.open_with_kept_key(header.suite, root->wrap_key(header.suite), header.nonce,
                                            aad.bytes, wrapped.subspan(kWrappedHeaderSize), out.span());
  if (status.code == Code::kAuthenticationFailed)
    return Status::error(
        Code::kAuthenticationFailed,
        "subject key does not open with envelope key version %u: the row was altered, or the key "
        "is another one of that version",
        header.key_version);
  return status;
}

Status wrapped_key_version(Bytes wrapped, uint32_t& version) {
  WrappedHeader header;
  VISAGE_TRY(parse_wrapped(wrapped, header));
  version = header.key_version;
  return {};
}

Status derive_source_key(crypto::Engine& engine, const KeyRing& ring, crypto::Suite suite,
                         uint32_t key_version, uint32_t institution, const Uuid& source, uint32_t generation,
                         probe::SourceKey& out) {
  const Root* root;
  VISAGE_TRY(find_root(ring.envelope, key_version, "envelope", root));
  uint8_t info[kSourceLabel.size() + 1 + 4 + 16 + 4];
  Writer writer(info);
  writer.bytes(as_bytes(kSourceLabel));
  writer.number(suite);
  writer.number(institution);
  writer.uuid(source);
  writer.number(generation);
  out.suite = suite;
  out.key_version = key_version;
  out.institution = institution;
  out.generation = generation;
  out.source = source;
  return engine.hkdf(suite, root->view(), {}, {}, info, {out.key, probe::kSourceKeySize});
}

}  // namespace visage::keys
