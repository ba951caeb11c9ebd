#include "core/keys/staged_probe.h"

#include "core/crypto/envelope.h"
#include "core/keys/subject_key.h"

namespace visage::keys {
namespace {

constexpr crypto::Envelope kEnvelope = {'S', 1, "staged probe"};
constexpr std::string_view kLabel = "visage/staged-probe/1";

struct Aad {
  uint8_t bytes[kLabel.size() + kStagedHeaderSize];
  explicit Aad(Bytes staged) {
    std::memcpy(bytes, kLabel.data(), kLabel.size());
    std::memcpy(bytes + kLabel.size(), staged.data(), kStagedHeaderSize);
  }
};

struct StagedHeader {
  crypto::Suite suite;
  uint32_t transform_version;
  uint32_t institution;
  Uuid probe;
  Bytes nonce;
};

Status parse_staged(Bytes staged, StagedHeader& header) {
  Reader reader(staged);
  uint8_t reserved = 0;
  VISAGE_TRY(crypto::read_beginning(reader, kEnvelope, header.suite, reserved));
  header.transform_version = reader.number<uint32_t>();
  header.institution = reader.number<uint32_t>();
  header.probe = reader.uuid();
  header.nonce = reader.take(crypto::kNonceSize);
  if (!reader.ok() || staged.size() <= staged_size(header.suite, 0))
    return Status::error(Code::kMalformed, "staged probe has the wrong length");
  if (reserved != 0 || header.transform_version == 0 || header.institution == 0)
    return Status::error(Code::kMalformed, "staged probe has a reserved or zero field that must not be");
  return {};
}

// A key for each probe and batch, as random nonces under one key must stop at 2^32.
Status derive_key(crypto::Engine& engine, const Root& root, crypto::Suite suite, const Staging& staging,
                  KeyBytes<crypto::kMaxKeySize>& out) {
  if (staging.batch_nonce.size() != kBatchNonceSize)
    return Status::error(Code::kInternal, "an import's nonce has the wrong length");
  uint8_t info[kLabel.size() + 1 + 4 + 16];
  Writer writer(info);
  writer.bytes(as_bytes(kLabel));
  writer.number(suite);
  writer.number(staging.institution);
  writer.uuid(staging.probe);
  return engine.hkdf(suite, root.view(), {}, staging.batch_nonce, info, {out.bytes, crypto::key_size(suite)});
}

}  // namespace

Status stage_probe(crypto::Engine& engine, const KeyRing& ring, crypto::Suite suite, const Staging& staging,
                   Bytes probe, MutableBytes out) {
  const Root* root = ring.transform.newest();
  if (root == nullptr) return Status::error(Code::kKeyMissing, "no transform key is loaded");
  if (out.size() != staged_size(suite, probe.size()))
    return Status::error(Code::kInternal, "staged probe buffer has the wrong size");
  uint8_t nonce[crypto::kNonceSize];
  VISAGE_TRY(engine.random(nonce));
  Writer writer(out);
  crypto::write_beginning(writer, kEnvelope, suite);
  writer.number(root->version);
  writer.number(staging.institution);
  writer.uuid(staging.probe);
  writer.write(nonce, sizeof nonce);
  Secret<KeyBytes<crypto::kMaxKeySize>> key;
  VISAGE_TRY(derive_key(engine, *root, suite, staging, key.value));
  const Aad aad(out);
  return engine.seal(suite, {key.value.bytes, crypto::key_size(suite)}, nonce, aad.bytes, probe,
                     out.subspan(kStagedHeaderSize));
}

Status staged_probe_size(Bytes staged, size_t& size) {
  StagedHeader header;
  VISAGE_TRY(parse_staged(staged, header));
  size = staged.size() - staged_size(header.suite, 0);
  return {};
}

Status unstage_probe(crypto::Engine& engine, const KeyRing& ring, const Staging& staging, Bytes staged,
                     MutableBytes out) {
  StagedHeader header;
  VISAGE_TRY(parse_staged(staged, header));
  if (header.institution != staging.institution || !(header.probe == staging.probe))
    return Status::error(Code::kAuthenticationFailed, "staged probe belongs to another row");
  const Root* root;
  VISAGE_TRY(find_root(ring.transform, header.transform_version, "transform", root));
  Secret<KeyBytes<crypto::kMaxKeySize>> key;
  VISAGE_TRY(derive_key(engine, *root, header.suite, staging, key.value));
  const Aad aad(staged);
  return engine.open(header.suite, {key.value.bytes, crypto::key_size(header.suite)}, header.nonce, aad.bytes,
                     staged.subspan(kStagedHeaderSize), out);
}

}  // namespace visage::keys
