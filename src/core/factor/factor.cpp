#include "core/factor/factor.h"

#include <iterator>

#include "core/base/base64.h"
#include "core/crypto/envelope.h"

namespace visage::factor {
namespace {

constexpr crypto::Envelope kEnvelope = {'F', 1, "sealed factor"};
constexpr size_t kSaltSize = 32;
constexpr std::string_view kLabel = "visage/factor/1";
constexpr std::string_view kPasswordLabel = "visage/password/1";
constexpr std::string_view kKindLabels[] = {"password", "totp", "certificate", "otp", "face"};
static_assert(std::size(kKindLabels) == kKinds);

struct Aad {
  uint8_t bytes[kLabel.size() + kHeaderSize];
  explicit Aad(Bytes envelope) {
    std::memcpy(bytes, kLabel.data(), kLabel.size());
    std::memcpy(bytes + kLabel.size(), envelope.data(), kHeaderSize);
  }
};

struct Header {
  crypto::Suite suite;
  Place place;
  uint32_t key_version;
  Bytes salt;
  Bytes nonce;
  uint32_t size;
};

Status parse(Bytes envelope, Header& header) {
  Reader reader(envelope);
  uint8_t factor_kind = 0;
  VISAGE_TRY(crypto::read_beginning(reader, kEnvelope, header.suite, factor_kind));
  header.place.kind = static_cast<Kind>(factor_kind);
  if (!is_stored(header.place.kind))
    return Status::error(Code::kUnsupported, "sealed factor of kind %u", factor_kind);
  header.key_version = reader.number<uint32_t>();
  header.place.owner.institution = reader.number<uint32_t>();
  header.place.factor = reader.uuid();
  header.place.owner.subject = reader.uuid();
  header.salt = reader.take(kSaltSize);
  header.nonce = reader.take(crypto::kNonceSize);
  header.size = reader.number<uint32_t>();
  if (!reader.ok() || header.size == 0 || header.size > kMaxContents ||
      envelope.size() != sealed_size(header.suite, header.size))
    return Status::error(Code::kMalformed, "sealed factor has the wrong length");
  return {};
}

Status derive_key(crypto::Engine& engine, crypto::Suite suite, const keys::Root& root,
                  const keys::SubjectKey& subject_key, Bytes salt, const Uuid& factor, MutableBytes out) {
  uint8_t info[kLabel.size() + 1 + sizeof factor.bytes];
  Writer writer(info);
  writer.bytes(as_bytes(kLabel));
  writer.number(suite);
  writer.uuid(factor);
  return engine.hkdf(suite, root.view(), subject_key.view(), salt, info, out);
}

}  // namespace

const char* label(Kind kind) {
  const auto number = static_cast<size_t>(kind);
  return number >= 1 && number <= std::size(kKindLabels) ? kKindLabels[number - 1].data() : "";
}

bool find_kind(std::string_view label, Kind& out) {
  for (size_t i = 0; i < std::size(kKindLabels); ++i)
    if (kKindLabels[i] == label) {
      out = static_cast<Kind>(i + 1);
      return true;
    }
  return false;
}

Status seal(crypto::Engine& engine, const keys::KeyRing& ring, crypto::Suite suite,
            const keys::SubjectKey& subject_key, const Place& place, Bytes contents, MutableBytes out,
            uint32_t& key_version) {
  const keys::Root* root = ring.envelope.newest();
  if (root == nullptr) return Status::error(Code::kKeyMissing, "no envelope key is loaded");
  if (!is_stored(place.kind) || contents.empty() || contents.size() > kMaxContents ||
      out.size() != sealed_size(suite, contents.size()))
    return Status::error(Code::kInternal, "factor contents have the wrong size");
  uint8_t salt[kSaltSize];
  uint8_t nonce[crypto::kNonceSize];
  VISAGE_TRY(engine.random(salt));
  VISAGE_TRY(engine.random(nonce));
  Writer writer(out);
  crypto::write_beginning(writer, kEnvelope, suite, static_cast<uint8_t>(place.kind));
  writer.number(root->version);
  writer.number(place.owner.institution);
  writer.uuid(place.factor);
  writer.uuid(place.owner.subject);
  writer.bytes(salt);
  writer.bytes(nonce);
  writer.number(static_cast<uint32_t>(contents.size()));
  key_version = root->version;
  Secret<KeyBytes<crypto::kMaxKeySize>> key;
  const MutableBytes key_bytes = {key.value.bytes, crypto::key_size(suite)};
  VISAGE_TRY(derive_key(engine, suite, *root, subject_key, salt, place.factor, key_bytes));
  const Aad aad(out);
  return engine.seal(suite, key_bytes, nonce, aad.bytes, contents, out.subspan(kHeaderSize));
}

Status open(crypto::Engine& engine, const keys::KeyRing& ring, const keys::SubjectKey& subject_key,
            const Place& place, Bytes envelope, MutableBytes out, size_t& size) {
  Header header;
  VISAGE_TRY(parse(envelope, header));
  const Place& stated = header.place;
  if (stated.kind != place.kind || stated.owner.institution != place.owner.institution ||
      !(stated.owner.subject == place.owner.subject) || !(stated.factor == place.factor))
    return Status::error(Code::kAuthenticationFailed, "sealed factor belongs to another row");
  const keys::Root* root;
  VISAGE_TRY(keys::find_root(ring.envelope, header.key_version, "envelope", root));
  if (out.size() < header.size) return Status::error(Code::kInternal, "buffer of a factor is too small");
  Secret<KeyBytes<crypto::kMaxKeySize>> key;
  const MutableBytes key_bytes = {key.value.bytes, crypto::key_size(header.suite)};
  VISAGE_TRY(derive_key(engine, header.suite, *root, subject_key, header.salt, place.factor, key_bytes));
  const Aad aad(envelope);
  size = header.size;
  const Status status = engine.open(header.suite, key_bytes, header.nonce, aad.bytes,
                                    envelope.subspan(kHeaderSize), out.first(size));
  if (status.code != Code::kAuthenticationFailed) return status;
  return Status::error(
      Code::kAuthenticationFailed,
      "sealed factor does not open with envelope key version %u: the row was altered, or the "
      "key is another one of that version",
      header.key_version);
}

Status reseal(crypto::Engine& engine, const keys::KeyRing& ring, const keys::SubjectKey& subject_key,
              const Place& place, Bytes envelope, MutableBytes out) {
  Header header;
  VISAGE_TRY(parse(envelope, header));
  Secret<KeyBytes<kMaxContents>> contents;
  size_t size = 0;
  uint32_t key_version = 0;
  VISAGE_TRY(open(engine, ring, subject_key, place, envelope, contents.value.span(), size));
  return seal(engine, ring, header.suite, subject_key, place, {contents.value.bytes, size}, out, key_version);
}

Status prepare_password(crypto::Engine& engine, const keys::SubjectKey& subject_key, const Uuid& factor,
                        std::string_view password, char out[kPreparedPasswordSize]) {
  static_assert(base64_size(crypto::kDigestSize) == kPreparedPasswordSize);
  // One hash for both suites: the stored value must outlive a change of suite.
  constexpr crypto::Suite kSuite = crypto::Suite::kAes256Gcm;
  Secret<KeyBytes<crypto::kDigestSize>> key;
  Secret<KeyBytes<crypto::kDigestSize>> mac;
  VISAGE_TRY(
      engine.hkdf(kSuite, subject_key.view(), {}, factor.view(), as_bytes(kPasswordLabel), key.value.span()));
  const Bytes parts[] = {as_bytes(password)};
  VISAGE_TRY(engine.hmac(kSuite, key.value.view(), parts, mac.value.span()));
  encode_base64(mac.value.view(), out);
  return {};
}

}  // namespace visage::factor
