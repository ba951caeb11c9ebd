// What is under a probe's seal: the input is sealed as it is, as a source with faulty software would.
#include <cmath>

#include "core/probe/probe.h"
#include "target.h"

VISAGE_FUZZ_TARGET(probe_contents) {
  using namespace visage;
  if (input.size() > probe::kMaxSize) return;
  constexpr std::string_view kLabel = "visage/probe/1";
  const uint8_t source_key[probe::kSourceKeySize] = {1};
  uint8_t aad[kLabel.size() + probe::kHeaderSize] = {};
  std::memcpy(aad, kLabel.data(), kLabel.size());
  const MutableBytes header_bytes = MutableBytes(aad).subspan(kLabel.size());
  Writer writer(header_bytes);
  for (uint8_t byte : {'P', '\1', '\1', '\0'}) writer.number(byte);
  writer.number(uint32_t{1});
  writer.number(uint32_t{1});
  writer.uuid({});
  writer.uuid({});
  writer.number(int64_t{0});
  writer.number(int64_t{1});
  const uint8_t zeros[44] = {};  // session nonce and nonce
  writer.write(zeros, sizeof zeros);
  writer.number(static_cast<uint32_t>(input.size()));
  writer.number(uint32_t{1});
  fuzz::require(writer.ok() && writer.position() == probe::kHeaderSize);

  uint8_t key[32];
  const Uuid probe_id = {};
  fuzz::require(
      fuzz::engine()
          .hkdf(crypto::Suite::kAes256Gcm, source_key, {}, probe_id.view(), as_bytes("visage/probe/1\1"), key)
          .ok());
  uint8_t envelope[probe::kHeaderSize + probe::kMaxSize + 16];
  std::memcpy(envelope, header_bytes.data(), probe::kHeaderSize);
  const size_t size = probe::kHeaderSize + input.size() + 16;
  fuzz::require(fuzz::engine()
                    .seal(crypto::Suite::kAes256Gcm, key, {zeros, crypto::kNonceSize}, aad, input,
                          {envelope + probe::kHeaderSize, input.size() + 16})
                    .ok());
  probe::Header header;
  static probe::Contents contents;
  const Status status = probe::open(fuzz::engine(), source_key, {envelope, size}, header, contents);
  fuzz::require(status.code != Code::kAuthenticationFailed && status.code != Code::kInternal);
  if (!status.ok()) return;
  fuzz::require(contents.dimension >= probe::kMinDimension && contents.dimension <= probe::kMaxDimension);
  fuzz::require(contents.model_length >= 1 && contents.model_length <= probe::kMaxModelLength);
  fuzz::require(contents.liveness_count <= probe::kMaxLiveness &&
                contents.quality_count <= probe::kMaxQuality);
  for (size_t i = 0; i < contents.dimension; ++i) fuzz::require(std::abs(contents.feature[i]) < 1.01f);
  for (size_t i = 0; i < contents.liveness_count; ++i)
    fuzz::require(contents.liveness[i].value >= 0 && contents.liveness[i].value <= 1);
  for (size_t i = 0; i < contents.quality_count; ++i)
    fuzz::require(std::isfinite(contents.quality[i].native));
}
