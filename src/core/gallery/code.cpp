#include "core/gallery/code.h"

#include "core/crypto/envelope.h"

namespace visage::gallery {
namespace {

constexpr crypto::Envelope kEnvelope = {'G', 1, "gallery code"};
constexpr std::string_view kSeedLabel = "visage/gallery-epoch/1";
constexpr std::string_view kCodeLabel = "visage/gallery-code/1";

struct CodeHeader {
  crypto::Suite suite;
  uint32_t transform_version;
  uint32_t epoch;
  CodeOwner of;
  Bytes nonce;
};

Status parse_code(Bytes sealed, CodeHeader& header) {
  Reader reader(sealed);
  uint8_t reserved = 0;
  VISAGE_TRY(crypto::read_beginning(reader, kEnvelope, header.suite, reserved));
  header.transform_version = reader.number<uint32_t>();
  header.of.owner.institution = reader.number<uint32_t>();
  header.epoch = reader.number<uint32_t>();
  header.of.generation = reader.number<uint32_t>();
  header.of.reference = reader.uuid();
  header.of.owner.subject = reader.uuid();
  header.nonce = reader.take(crypto::kNonceSize);
  if (!reader.ok() || sealed.size() != sealed_code_size(header.suite))
    return Status::error(Code::kMalformed, "gallery code has the wrong length");
  if (reserved != 0 || header.transform_version == 0 || header.of.owner.institution == 0 ||
      header.epoch == 0 || header.of.generation == 0)
    return Status::error(Code::kMalformed, "gallery code has a reserved or zero field that must not be");
  return {};
}

// A key for each code, as random nonces under one key must stop at 2^32.
Status derive_code_key(crypto::Engine& engine, const keys::Root& root, const keys::SubjectKey& subject_key,
                       const CodeHeader& header, KeyBytes<crypto::kMaxKeySize>& out) {
  uint8_t info[kCodeLabel.size() + 1 + 16 + 4 + 4];
  Writer writer(info);
  writer.bytes(as_bytes(kCodeLabel));
  writer.number(header.suite);
  writer.uuid(header.of.reference);
  writer.number(header.of.generation);
  writer.number(header.epoch);
  return engine.hkdf(header.suite, root.view(), subject_key.view(), {}, info,
                     {out.bytes, crypto::key_size(header.suite)});
}

struct Aad {
  uint8_t bytes[kCodeLabel.size() + kCodeHeaderSize + reference::kConfirmationSize];
  Aad(Bytes sealed, const EpochMasks& masks) {
    Writer writer(bytes);
    writer.bytes(as_bytes(kCodeLabel));
    writer.bytes(sealed.first(kCodeHeaderSize));
    writer.write(masks.confirmation, sizeof masks.confirmation);
  }
  ~Aad() { wipe(bytes, sizeof bytes); }
};

}  // namespace

Status begin_epoch(crypto::Engine& engine, const keys::KeyRing& ring, Epoch& epoch) {
  const keys::Root* root = ring.transform.newest();
  if (root == nullptr) return Status::error(Code::kKeyMissing, "no transform key is loaded");
  epoch.transform_version = root->version;
  return engine.random(epoch.salt);
}

Status derive_masks(crypto::Engine& engine, const keys::KeyRing& ring, const Epoch& epoch, EpochMasks& out) {
  if (epoch.dimension < probe::kMinDimension || epoch.dimension > probe::kMaxDimension)
    return Status::error(Code::kInternal, "a gallery of features of %u values", epoch.dimension);
  const keys::Root* root;
  VISAGE_TRY(keys::find_root(ring.transform, epoch.transform_version, "transform", root));
  uint8_t info[kSeedLabel.size() + 1 + probe::kModelDigestSize + 2 + 4 + 4];
  Writer writer(info);
  writer.bytes(as_bytes(kSeedLabel));
  writer.number(epoch.suite);
  writer.write(epoch.model_digest, sizeof epoch.model_digest);
  writer.number(epoch.dimension);
  writer.number(epoch.institution);
  writer.number(epoch.number);
  Secret<KeyBytes<crypto::kSeedSize>> seed;
  VISAGE_TRY(engine.hkdf(epoch.suite, root->view(), {}, epoch.salt, info, seed.value.span()));
  const size_t size = reference::mask_size(epoch.dimension, kCodeBits);
  Secret<KeyBytes<reference::kMaxMaskSize + reference::kConfirmationSize>> stream;
  VISAGE_TRY(engine.keystream(epoch.suite, seed.value.view(),
                              {stream.value.bytes, size + reference::kConfirmationSize}));
  std::memcpy(out.masks, stream.value.bytes, size);
  std::memcpy(out.confirmation, stream.value.bytes + size, sizeof out.confirmation);
  return {};
}

bool encodes(const Epoch& epoch, const probe::Contents& contents) {
  return epoch.dimension == contents.dimension &&
         std::memcmp(epoch.model_digest, contents.model_digest, sizeof epoch.model_digest) == 0;
}

Status make_code(const Epoch& epoch, const EpochMasks& masks, const probe::Contents& contents,
                 SignCode& out) {
  if (!encodes(epoch, contents))
    return Status::error(Code::kInvalidArgument, "the gallery is of another model");
  struct Rotated {
    float values[kCodeBits];
  };
  Secret<Rotated> rotated;
  reference::rotate(contents.feature, contents.dimension, kCodeBits, masks.masks, rotated.value.values);
  reference::pack_signs(rotated.value.values, kCodeBits, out.span().data());
  return {};
}

Status seal_code(crypto::Engine& engine, const keys::KeyRing& ring, const keys::SubjectKey& subject_key,
                 crypto::Suite suite, const Epoch& epoch, const EpochMasks& masks, const CodeOwner& of,
                 const SignCode& code, MutableBytes out) {
  const keys::Root* root;
  VISAGE_TRY(keys::find_root(ring.transform, epoch.transform_version, "transform", root));
  if (out.size() != sealed_code_size(suite) || of.owner.institution != epoch.institution)
    return Status::error(Code::kInternal, "sealing a gallery code that does not fit");
  uint8_t nonce[crypto::kNonceSize];
  VISAGE_TRY(engine.random(nonce));
  Writer writer(out);
  crypto::write_beginning(writer, kEnvelope, suite);
  writer.number(root->version);
  writer.number(of.owner.institution);
  writer.number(epoch.number);
  writer.number(of.generation);
  writer.uuid(of.reference);
  writer.uuid(of.owner.subject);
  writer.write(nonce, sizeof nonce);
  if (!writer.ok() || writer.position() != kCodeHeaderSize)
    return Status::error(Code::kInternal, "gallery code does not fit its own format");
  Secret<KeyBytes<crypto::kMaxKeySize>> key;
  VISAGE_TRY(derive_code_key(engine, *root, subject_key, {suite, root->version, epoch.number, of, nonce},
                             key.value));
  const Aad aad(out, masks);
  return engine.seal(suite, {key.value.bytes, crypto::key_size(suite)}, nonce, aad.bytes, code.view(),
                     out.subspan(kCodeHeaderSize));
}

Status open_code(crypto::Engine& engine, const keys::KeyRing& ring, const keys::SubjectKey& subject_key,
                 const Epoch& epoch, const EpochMasks& masks, const CodeOwner& of, Bytes sealed,
                 SignCode& out) {
  CodeHeader header;
  VISAGE_TRY(parse_code(sealed, header));
  if (header.of.owner.institution != of.owner.institution || !(header.of.owner.subject == of.owner.subject))
    return Status::error(Code::kAuthenticationFailed, "gallery code belongs to another subject");
  if (!(header.of.reference == of.reference) || header.of.generation != of.generation)
    return Status::error(Code::kAuthenticationFailed, "gallery code is not the one that its row names");
  if (header.epoch != epoch.number || header.transform_version != epoch.transform_version ||
      of.owner.institution != epoch.institution)
    return Status::error(Code::kAuthenticationFailed, "gallery code is of another epoch");
  const keys::Root* root;
  VISAGE_TRY(keys::find_root(ring.transform, header.transform_version, "transform", root));
  Secret<KeyBytes<crypto::kMaxKeySize>> key;
  VISAGE_TRY(derive_code_key(engine, *root, subject_key, header, key.value));
  const Aad aad(sealed, masks);
  Status status = engine.open(header.suite, {key.value.bytes, crypto::key_size(header.suite)}, header.nonce,
                              aad.bytes, sealed.subspan(kCodeHeaderSize), out.span());
  if (status.code == Code::kAuthenticationFailed)
    return Status::error(
        Code::kAuthenticationFailed,
        "gallery code does not open with transform key version %u: it was altered, or the key is another of "
        "that version",
        header.transform_version);
  return status;
}

}  // namespace visage::gallery
