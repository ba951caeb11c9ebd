#include "core/reference/reference.h"

#include "core/crypto/envelope.h"

namespace visage::reference {
namespace {

constexpr crypto::Envelope kEnvelope = {'R', 1, "reference envelope"};
constexpr std::string_view kEnvelopeLabel = "visage/reference/1";
constexpr std::string_view kDigestLabel = "visage/reference-digest/1";
constexpr std::string_view kSeedLabel = "rfr/1";

struct EnvelopeKey {
  uint8_t bytes[crypto::kMaxKeySize];
};
using Seed = KeyBytes<crypto::kSeedSize>;

// Envelope key = HKDF(envelope root ‖ subject key, salt, label ‖ suite ‖ reference id).
Status derive_envelope_key(crypto::Engine& engine, const keys::Root& root,
                           const keys::SubjectKey& subject_key, const Header& header, EnvelopeKey& out) {
  uint8_t info[kEnvelopeLabel.size() + 1 + 16];
  Writer writer(info);
  writer.bytes(as_bytes(kEnvelopeLabel));
  writer.number(header.suite);
  writer.uuid(header.reference);
  return engine.hkdf(header.suite, root.view(), subject_key.view(), header.salt, info,
                     {out.bytes, crypto::key_size(header.suite)});
}

// Seed = HKDF(transform root ‖ subject key, salt, label ‖ scheme ‖ suite ‖ model ‖ domain ‖ reference id ‖
// generation); its CTR keystream is the masks, then the confirmation.
Status derive_masks(crypto::Engine& engine, const keys::Root& root, const keys::SubjectKey& subject_key,
                    const Header& header, uint8_t* masks) {
  uint8_t info[kSeedLabel.size() + 2 + kModelDigestSize + 4 + 16 + 4];
  Writer writer(info);
  writer.bytes(as_bytes(kSeedLabel));
  writer.number(header.scheme);
  writer.number(header.suite);
  writer.write(header.model_digest, kModelDigestSize);
  writer.number(header.owner.institution);
  writer.uuid(header.reference);
  writer.number(header.generation);
  Secret<Seed> seed;
  VISAGE_TRY(
      engine.hkdf(header.suite, root.view(), subject_key.view(), header.salt, info, seed.value.span()));
  return engine.keystream(header.suite, seed.value.view(),
                          {masks, mask_size(header.dimension, header.code_bits) + kConfirmationSize});
}

const uint8_t* confirmation_of(const Header& header, const uint8_t* masks) {
  return masks + mask_size(header.dimension, header.code_bits);
}

void write_header(Writer& writer, const Header& header) {
  crypto::write_beginning(writer, kEnvelope, header.suite, header.scheme);
  writer.number(header.code_bits);
  writer.number(header.dimension);
  writer.number(header.key_version);
  writer.number(header.transform_version);
  writer.number(header.owner.institution);
  writer.number(header.generation);
  writer.uuid(header.reference);
  writer.uuid(header.owner.subject);
  writer.write(header.model_digest, kModelDigestSize);
  writer.write(header.salt, kSaltSize);
  writer.write(header.nonce, crypto::kNonceSize);
  writer.number(uint32_t{0});
}

struct Aad {
  uint8_t bytes[kEnvelopeLabel.size() + kHeaderSize + kConfirmationSize];
  Aad(Bytes envelope, const uint8_t* confirmation) {
    Writer writer(bytes);
    writer.bytes(as_bytes(kEnvelopeLabel));
    writer.bytes(envelope.first(kHeaderSize));
    writer.write(confirmation, kConfirmationSize);
  }
  ~Aad() { wipe(bytes, sizeof bytes); }
};

// Header and code, into `out`.
Status seal(crypto::Engine& engine, const keys::Root& envelope_root, const keys::SubjectKey& subject_key,
            const Header& header, const Opened& opened, MutableBytes out) {
  Writer writer(out);
  write_header(writer, header);
  if (!writer.ok() || writer.position() != kHeaderSize)
    return Status::error(Code::kInternal, "reference does not fit its own format");
  Secret<EnvelopeKey> key;
  VISAGE_TRY(derive_envelope_key(engine, envelope_root, subject_key, header, key.value));
  const Aad aad(out, confirmation_of(header, opened.masks));
  return engine.seal(header.suite, {key.value.bytes, crypto::key_size(header.suite)}, header.nonce, aad.bytes,
                     {opened.code, header.code_bits / 8u}, out.subspan(kHeaderSize));
}

// All of it but the id.
Status make(crypto::Engine& engine, const keys::KeyRing& ring, const keys::SubjectKey& subject_key,
            const probe::Contents& contents, Header& header, MutableBytes out) {
  if (header.scheme != kSchemeRfr1 || !allowed_code_bits(header.code_bits) ||
      out.size() != sealed_size(header.suite, header.code_bits))
    return Status::error(Code::kInternal, "making a reference with scheme %u, %u bits", header.scheme,
                         header.code_bits);
  const keys::Root* envelope_root = ring.envelope.newest();
  const keys::Root* transform_root = ring.transform.newest();
  if (envelope_root == nullptr || transform_root == nullptr)
    return Status::error(Code::kKeyMissing, "no envelope or transform key is loaded");
  header.dimension = contents.dimension;
  header.key_version = envelope_root->version;
  header.transform_version = transform_root->version;
  std::memcpy(header.model_digest, contents.model_digest, kModelDigestSize);
  VISAGE_TRY(engine.random(header.salt));
  VISAGE_TRY(engine.random(header.nonce));

  struct Rotated {
    float values[kMaxCodeBits];
  };
  Secret<Opened> opened;
  Secret<Rotated> rotated;
  VISAGE_TRY(derive_masks(engine, *transform_root, subject_key, header, opened.value.masks));
  rotate(contents.feature, contents.dimension, header.code_bits, opened.value.masks, rotated.value.values);
  pack_signs(rotated.value.values, header.code_bits, opened.value.code);

  return seal(engine, *envelope_root, subject_key, header, opened.value, out);
}

}  // namespace

Status protect(crypto::Engine& engine, const keys::KeyRing& ring, const keys::SubjectKey& subject_key,
               const probe::Contents& contents, Header& header, MutableBytes out) {
  VISAGE_TRY(engine.random_uuid(header.reference));
  return make(engine, ring, subject_key, contents, header, out);
}

Status renew(crypto::Engine& engine, const keys::KeyRing& ring, const keys::SubjectKey& subject_key,
             const probe::Contents& contents, Header& header, MutableBytes out) {
  return make(engine, ring, subject_key, contents, header, out);
}

Status reseal(crypto::Engine& engine, const keys::KeyRing& ring, const keys::SubjectKey& subject_key,
              Header& header, const Opened& opened, MutableBytes out) {
  const keys::Root* envelope_root = ring.envelope.newest();
  if (envelope_root == nullptr) return Status::error(Code::kKeyMissing, "no envelope key is loaded");
  if (out.size() != sealed_size(header.suite, header.code_bits))
    return Status::error(Code::kInternal, "reference buffer has the wrong size");
  header.key_version = envelope_root->version;
  VISAGE_TRY(engine.random(header.nonce));
  return seal(engine, *envelope_root, subject_key, header, opened, out);
}

Status digest(crypto::Engine& engine, const keys::SubjectKey& subject_key, const Header& header,
              const Opened& opened, uint8_t out[kDigestSize]) {
  uint8_t said[kDigestLabel.size() + 1 + 2 + 2 + 4 + 4 + 4 + 16 + 16 + kModelDigestSize + kSaltSize];
  Writer writer(said);
  writer.bytes(as_bytes(kDigestLabel));
  writer.number(header.scheme);
  writer.number(header.code_bits);
  writer.number(header.dimension);
  writer.number(header.transform_version);
  writer.number(header.owner.institution);
  writer.number(header.generation);
  writer.uuid(header.reference);
  writer.uuid(header.owner.subject);
  writer.write(header.model_digest, kModelDigestSize);
  writer.write(header.salt, kSaltSize);
  const Bytes parts[] = {said, {opened.code, header.code_bits / 8u}};
  return engine.hmac(crypto::Suite::kAes256Gcm, subject_key.view(), parts, {out, kDigestSize});
}

Status parse(Bytes envelope, Header& header) {
  Reader reader(envelope);
  VISAGE_TRY(crypto::read_beginning(reader, kEnvelope, header.suite, header.scheme));
  if (header.scheme != kSchemeRfr1)
    return Status::error(Code::kUnsupported, "reference envelope of scheme %u", header.scheme);
  header.code_bits = reader.number<uint16_t>();
  header.dimension = reader.number<uint16_t>();
  header.key_version = reader.number<uint32_t>();
  header.transform_version = reader.number<uint32_t>();
  header.owner.institution = reader.number<uint32_t>();
  header.generation = reader.number<uint32_t>();
  header.reference = reader.uuid();
  header.owner.subject = reader.uuid();
  reader.copy(header.model_digest, kModelDigestSize);
  reader.copy(header.salt, kSaltSize);
  reader.copy(header.nonce, crypto::kNonceSize);
  const auto reserved = reader.number<uint32_t>();
  if (!reader.ok() || !allowed_code_bits(header.code_bits) ||
      envelope.size() != sealed_size(header.suite, header.code_bits))
    return Status::error(Code::kMalformed, "reference of %zu bytes has the wrong length", envelope.size());
  if (reserved != 0) return Status::error(Code::kMalformed, "reserved bytes are not zero");
  if (header.dimension < probe::kMinDimension || header.dimension > probe::kMaxDimension)
    return Status::error(Code::kMalformed, "feature length %u is outside 64 to 2048", header.dimension);
  if (header.key_version == 0 || header.transform_version == 0 || header.owner.institution == 0 ||
      header.generation == 0)
    return Status::error(Code::kMalformed, "key versions, institution and generation start at 1");
  return {};
}

Status open(crypto::Engine& engine, const keys::KeyRing& ring, const keys::Owner& owner,
            const keys::SubjectKey& subject_key, const Stored& stored, Header& header, Opened& out) {
  VISAGE_TRY(parse(stored.envelope, header));
  if (header.owner.institution != owner.institution || !(header.owner.subject == owner.subject))
    return Status::error(Code::kAuthenticationFailed, "reference belongs to another subject");
  if (!(header.reference == stored.id) || header.generation != stored.generation)
    return Status::error(Code::kAuthenticationFailed, "reference is not the one that its row names");
  const keys::Root* envelope_root;
  const keys::Root* transform_root;
  VISAGE_TRY(keys::find_root(ring.envelope, header.key_version, "envelope", envelope_root));
  VISAGE_TRY(keys::find_root(ring.transform, header.transform_version, "transform", transform_root));

  VISAGE_TRY(derive_masks(engine, *transform_root, subject_key, header, out.masks));
  Secret<EnvelopeKey> key;
  VISAGE_TRY(derive_envelope_key(engine, *envelope_root, subject_key, header, key.value));
  const Aad aad(stored.envelope, confirmation_of(header, out.masks));
  Status status =
      engine.open(header.suite, {key.value.bytes, crypto::key_size(header.suite)}, header.nonce, aad.bytes,
                  stored.envelope.subspan(kHeaderSize), {out.code, header.code_bits / 8u});
  if (status.code == Code::kAuthenticationFailed)
    return Status::error(
        Code::kAuthenticationFailed,
        "reference does not open with envelope key version %u and transform key version %u: it was "
        "altered, or one of the keys is another of that version",
        header.key_version, header.transform_version);
  return status;
}

}  // namespace visage::reference
