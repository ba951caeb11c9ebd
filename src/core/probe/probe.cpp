#include "core/probe/probe.h"

#include <cmath>

#include "core/base/secret.h"
#include "core/base/text_form.h"
#include "core/crypto/envelope.h"

namespace visage::probe {
namespace {

constexpr crypto::Envelope kEnvelope = {'P', 1, "probe envelope"};
constexpr uint8_t kSourceKeyVersion = 1;
constexpr std::string_view kLabel = "visage/probe/1";
constexpr std::string_view kSourceKeyPrefix = "visage-source-1:";

// Sections of the plaintext, in this order, each `u16 tag, u16 reserved = 0, u32 length, bytes`.
enum class Tag : uint16_t { kFeature = 1, kModel = 2, kImageDigest = 3, kLiveness = 4, kQuality = 5 };
constexpr size_t kSectionHeader = 8;
constexpr size_t kLivenessSize = 5;  // u8 method, f32 value
constexpr size_t kQualitySize = 6;   // u8 measure, u8 scalar, f32 native
constexpr size_t kMaxPlaintext = 5 * kSectionHeader + kMaxDimension * sizeof(float) + kMaxModelLength + 32 +
                                 kMaxLiveness * kLivenessSize + kMaxQuality * kQualitySize;
static_assert(kHeaderSize + kMaxPlaintext + crypto::kMaxTagSize <= kMaxSize);

struct Plaintext {
  uint8_t bytes[kMaxPlaintext];
};

size_t plaintext_size(const Contents& contents) {
  return 5 * kSectionHeader + contents.dimension * sizeof(float) + contents.model_length +
         sizeof contents.image_digest + contents.liveness_count * kLivenessSize +
         contents.quality_count * kQualitySize;
}

void begin_section(Writer& writer, Tag tag, size_t length) {
  writer.number(static_cast<uint16_t>(tag));
  writer.number(uint16_t{0});
  writer.number(static_cast<uint32_t>(length));
}

void write_contents(Writer& writer, const Contents& contents) {
  begin_section(writer, Tag::kFeature, contents.dimension * sizeof(float));
  writer.write(contents.feature, contents.dimension * sizeof(float));
  begin_section(writer, Tag::kModel, contents.model_length);
  writer.write(contents.model, contents.model_length);
  begin_section(writer, Tag::kImageDigest, sizeof contents.image_digest);
  writer.write(contents.image_digest, sizeof contents.image_digest);
  begin_section(writer, Tag::kLiveness, contents.liveness_count * kLivenessSize);
  for (size_t i = 0; i < contents.liveness_count; ++i) {
    writer.number(contents.liveness[i].method);
    writer.number(contents.liveness[i].value);
  }
  begin_section(writer, Tag::kQuality, contents.quality_count * kQualitySize);
  for (size_t i = 0; i < contents.quality_count; ++i) {
    writer.number(contents.quality[i].measure);
    writer.number(contents.quality[i].scalar);
    writer.number(contents.quality[i].native);
  }
}

struct ProbeKey {
  uint8_t bytes[crypto::kMaxKeySize];
};

// A key of its own for each probe, salted with the probe's random id: a source may seal without end, where
// random nonces under one key would have to stop at 2^32 (NIST SP 800-38D 8.3).
Status derive_probe_key(crypto::Engine& engine, crypto::Suite suite, Bytes source_key, const Uuid& probe,
                        ProbeKey& out) {
  uint8_t info[kLabel.size() + 1];
  Writer writer(info);
  writer.bytes(as_bytes(kLabel));
  writer.number(suite);
  return engine.hkdf(suite, source_key, {}, probe.view(), info, {out.bytes, crypto::key_size(suite)});
}

Status bad_contents(const char* what) {
  return Status::error(Code::kMalformed, "probe contents: %s", what);
}

// The contents come from an authenticated source, yet a source's software may be wrong: everything is
// checked.
Status read_section(Reader& reader, Tag expected, Bytes& section) {
  const auto tag = reader.number<uint16_t>();
  const auto reserved = reader.number<uint16_t>();
  section = reader.take(reader.number<uint32_t>());
  if (!reader.ok() || tag != static_cast<uint16_t>(expected) || reserved != 0)
    return bad_contents("sections are cut or out of order");
  return {};
}

bool model_is_clean(std::string_view model) {
  if (model.empty() || model.size() > kMaxModelLength) return false;
  for (char c : model)
    if (c < 0x21 || c > 0x7E) return false;
  return true;
}

Status read_contents(Bytes plaintext, Contents& contents) {
  Reader reader(plaintext);
  Bytes section;
  VISAGE_TRY(read_section(reader, Tag::kFeature, section));
  const size_t dimension = section.size() / sizeof(float);
  if (section.size() % sizeof(float) != 0 || dimension < kMinDimension || dimension > kMaxDimension)
    return bad_contents("feature length is outside 64 to 2048");
  std::memcpy(contents.feature, section.data(), section.size());
  contents.dimension = static_cast<uint16_t>(dimension);
  double norm = 0;
  for (size_t i = 0; i < dimension; ++i) norm += double{contents.feature[i]} * contents.feature[i];
  if (!(std::abs(norm - 1) < 1e-3)) return bad_contents("feature is not of unit length");  // also NaN

  VISAGE_TRY(read_section(reader, Tag::kModel, section));
  const std::string_view model(reinterpret_cast<const char*>(section.data()), section.size());
  if (!model_is_clean(model)) return bad_contents("model id");
  VISAGE_TRY(set_model(model, contents));

  VISAGE_TRY(read_section(reader, Tag::kImageDigest, section));
  if (section.size() != sizeof contents.image_digest) return bad_contents("image digest");
  std::memcpy(contents.image_digest, section.data(), section.size());

  VISAGE_TRY(read_section(reader, Tag::kLiveness, section));
  const size_t liveness_count = section.size() / kLivenessSize;
  if (section.size() % kLivenessSize != 0 || liveness_count > kMaxLiveness) return bad_contents("liveness");
  contents.liveness_count = static_cast<uint8_t>(liveness_count);
  Reader liveness(section);
  for (size_t i = 0; i < liveness_count; ++i) {
    contents.liveness[i].method = liveness.number<LivenessMethod>();
    contents.liveness[i].value = liveness.number<float>();
    if (!(contents.liveness[i].value >= 0 && contents.liveness[i].value <= 1))
      return bad_contents("liveness outside 0 to 1");
  }

  VISAGE_TRY(read_section(reader, Tag::kQuality, section));
  const size_t quality_count = section.size() / kQualitySize;
  if (section.size() % kQualitySize != 0 || quality_count > kMaxQuality) return bad_contents("quality");
  contents.quality_count = static_cast<uint8_t>(quality_count);
  Reader quality(section);
  for (size_t i = 0; i < quality_count; ++i) {
    contents.quality[i].measure = quality.number<Measure>();
    contents.quality[i].scalar = quality.number<uint8_t>();
    contents.quality[i].native = quality.number<float>();
    if (contents.quality[i].scalar > 100 && contents.quality[i].scalar != kScalarUndetermined)
      return bad_contents("quality scalar outside 0 to 100");
    if (!std::isfinite(contents.quality[i].native)) return bad_contents("quality value is not finite");
  }
  if (reader.remaining() != 0) return bad_contents("bytes after the last section");
  return {};
}

}  // namespace

Status encode_source_key(const SourceKey& key, char* out, size_t capacity) {
  Secret<KeyBytes<4 + 12 + 16 + kSourceKeySize>> buffer;
  Writer writer(buffer.value.span());
  writer.number(kSourceKeyVersion);
  writer.number(key.suite);
  writer.number(uint16_t{0});
  writer.number(key.key_version);
  writer.number(key.institution);
  writer.number(key.generation);
  writer.uuid(key.source);
  writer.write(key.key, kSourceKeySize);
  const size_t text_size = encoded_text_size(writer.position());
  if (!writer.ok() || kSourceKeyPrefix.size() + text_size + 1 > capacity)
    return Status::error(Code::kInternal, "source key text does not fit");
  std::memcpy(out, kSourceKeyPrefix.data(), kSourceKeyPrefix.size());
  encode_text(writer.written(), out + kSourceKeyPrefix.size());
  out[kSourceKeyPrefix.size() + text_size] = '\0';
  return {};
}

Status decode_source_key(std::string_view text, SourceKey& out) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.remove_suffix(1);
  if (!text.starts_with(kSourceKeyPrefix) || text.size() > kMaxSourceKeyText)
    return Status::error(Code::kMalformed, "a source key starts with \"%.*s\"",
                         static_cast<int>(kSourceKeyPrefix.size()), kSourceKeyPrefix.data());
  text.remove_prefix(kSourceKeyPrefix.size());
  Secret<KeyBytes<kMaxSourceKeyText>> buffer;
  size_t size = 0;
  VISAGE_TRY(decode_text(text, buffer.value.span(), size));
  Reader reader({buffer.value.bytes, size});
  const auto version = reader.number<uint8_t>();
  const auto suite = reader.number<uint8_t>();
  const auto reserved = reader.number<uint16_t>();
  if (!reader.ok()) return Status::error(Code::kMalformed, "source key has the wrong length");
  if (version != kSourceKeyVersion || !crypto::known_suite(suite))
    return Status::error(Code::kUnsupported, "source key of version %u, suite %u", version, suite);
  out.suite = static_cast<crypto::Suite>(suite);
  out.key_version = reader.number<uint32_t>();
  out.institution = reader.number<uint32_t>();
  out.generation = reader.number<uint32_t>();
  out.source = reader.uuid();
  reader.copy(out.key, kSourceKeySize);
  if (!reader.ok() || reader.remaining() != 0)
    return Status::error(Code::kMalformed, "source key has the wrong length");
  if (reserved != 0 || out.key_version == 0 || out.institution == 0 || out.generation == 0)
    return Status::error(Code::kMalformed, "source key has a reserved or zero field that must not be");
  return {};
}

Status set_feature(std::span<const float> feature, Contents& out) {
  if (feature.size() < kMinDimension || feature.size() > kMaxDimension)
    return Status::error(Code::kInvalidArgument, "feature has %zu values, allowed are %zu to %zu",
                         feature.size(), kMinDimension, kMaxDimension);
  double norm = 0;
  for (size_t i = 0; i < feature.size(); ++i) {
    const int kind = std::fpclassify(feature[i]);
    if (kind != FP_NORMAL && kind != FP_ZERO)
      return Status::error(Code::kInvalidArgument, "feature value %zu is %s", i + 1,
                           kind == FP_NAN        ? "NaN"
                           : kind == FP_INFINITE ? "infinite"
                                                 : "subnormal");
    norm += double{feature[i]} * feature[i];
  }
  if (norm == 0) return Status::error(Code::kInvalidArgument, "feature is all zeros, value 1 on");
  const double scale = 1 / std::sqrt(norm);
  for (size_t i = 0; i < feature.size(); ++i) out.feature[i] = static_cast<float>(feature[i] * scale);
  out.dimension = static_cast<uint16_t>(feature.size());
  return {};
}

Status set_model(std::string_view model, Contents& out) {
  if (!model_is_clean(model))
    return Status::error(Code::kInvalidArgument,
                         "model id must be 1 to %zu printable ASCII characters, no spaces", kMaxModelLength);
  std::memcpy(out.model, model.data(), model.size());
  out.model[model.size()] = '\0';
  out.model_length = static_cast<uint8_t>(model.size());
  uint8_t digest[crypto::kDigestSize];
  crypto::sha256(as_bytes(model), digest);
  std::memcpy(out.model_digest, digest, kModelDigestSize);
  return {};
}

size_t sealed_size(crypto::Suite suite, const Contents& contents) {
  return kHeaderSize + plaintext_size(contents) + crypto::tag_size(suite);
}

Status seal(crypto::Engine& engine, const SourceKey& key, Header& header, const Contents& contents,
            MutableBytes out) {
  if (out.size() != sealed_size(key.suite, contents))
    return Status::error(Code::kInternal, "probe buffer has the wrong size");
  header.suite = key.suite;
  header.key_version = key.key_version;
  header.institution = key.institution;
  header.source = key.source;
  header.source_generation = key.generation;
  VISAGE_TRY(engine.random_uuid(header.probe));
  uint8_t nonce[crypto::kNonceSize];
  VISAGE_TRY(engine.random(nonce));

  Writer writer(out);
  crypto::write_beginning(writer, kEnvelope, header.suite);
  writer.number(header.key_version);
  writer.number(header.institution);
  writer.uuid(header.probe);
  writer.uuid(header.source);
  writer.number(header.captured_at);
  writer.number(header.expires_at);
  writer.write(header.session_nonce, sizeof header.session_nonce);
  writer.write(nonce, sizeof nonce);
  writer.number(static_cast<uint32_t>(plaintext_size(contents)));
  writer.number(header.source_generation);

  // The label keeps a header of this type from ever authenticating as another's; see docs/formats.md.
  uint8_t aad[kLabel.size() + kHeaderSize];
  std::memcpy(aad, kLabel.data(), kLabel.size());
  std::memcpy(aad + kLabel.size(), out.data(), kHeaderSize);

  Secret<Plaintext> plaintext;
  Writer body(plaintext.value.bytes);
  write_contents(body, contents);
  if (!writer.ok() || writer.position() != kHeaderSize || !body.ok())
    return Status::error(Code::kInternal, "probe does not fit its own format");
  Secret<ProbeKey> probe_key;
  VISAGE_TRY(derive_probe_key(engine, key.suite, {key.key, kSourceKeySize}, header.probe, probe_key.value));
  return engine.seal(key.suite, {probe_key.value.bytes, crypto::key_size(key.suite)}, nonce, aad,
                     body.written(), out.subspan(kHeaderSize));
}

Status parse(Bytes envelope, Header& header) {
  Reader reader(envelope);
  uint8_t reserved = 0;
  VISAGE_TRY(crypto::read_beginning(reader, kEnvelope, header.suite, reserved));
  header.key_version = reader.number<uint32_t>();
  header.institution = reader.number<uint32_t>();
  header.probe = reader.uuid();
  header.source = reader.uuid();
  header.captured_at = reader.number<int64_t>();
  header.expires_at = reader.number<int64_t>();
  reader.copy(header.session_nonce, sizeof header.session_nonce);
  reader.take(crypto::kNonceSize);
  const auto ciphertext_size = reader.number<uint32_t>();
  header.source_generation = reader.number<uint32_t>();
  if (!reader.ok() || envelope.size() > kMaxSize ||
      reader.remaining() != size_t{ciphertext_size} + crypto::tag_size(header.suite))
    return Status::error(Code::kMalformed, "probe of %zu bytes has the wrong length", envelope.size());
  if (reserved != 0) return Status::error(Code::kMalformed, "reserved bytes are not zero");
  if (header.key_version == 0 || header.institution == 0 || header.source_generation == 0)
    return Status::error(Code::kMalformed, "key version, institution and source generation start at 1");
  if (header.captured_at < 0 || header.expires_at <= header.captured_at || header.expires_at >= kMaxTime)
    return Status::error(Code::kMalformed, "probe expires before it was captured, or after the year 9999");
  return {};
}

Status open(crypto::Engine& engine, Bytes source_key, Bytes envelope, Header& header, Contents& contents) {
  VISAGE_TRY(parse(envelope, header));
  if (source_key.size() != kSourceKeySize)
    return Status::error(Code::kInternal, "a source key has %zu bytes", kSourceKeySize);
  uint8_t aad[kLabel.size() + kHeaderSize];
  std::memcpy(aad, kLabel.data(), kLabel.size());
  std::memcpy(aad + kLabel.size(), envelope.data(), kHeaderSize);
  const Bytes sealed = envelope.subspan(kHeaderSize);
  const size_t size = sealed.size() - crypto::tag_size(header.suite);
  if (size > kMaxPlaintext) return Status::error(Code::kMalformed, "probe contents are too long");
  const Bytes nonce = envelope.subspan(kHeaderSize - 8 - crypto::kNonceSize, crypto::kNonceSize);

  Secret<Plaintext> plaintext;
  Secret<ProbeKey> probe_key;
  VISAGE_TRY(derive_probe_key(engine, header.suite, source_key, header.probe, probe_key.value));
  VISAGE_TRY(engine.open(header.suite, {probe_key.value.bytes, crypto::key_size(header.suite)}, nonce, aad,
                         sealed, {plaintext.value.bytes, size}));
  return read_contents({plaintext.value.bytes, size}, contents);
}

}  // namespace visage::probe
