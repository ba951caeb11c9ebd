#include "sidecar/liveness/frame.h"

#include <algorithm>

namespace visage::liveness {
namespace {

constexpr uint32_t kMagic = 0x31465356;  // "VSF1"
constexpr size_t kTag = 16;
constexpr auto kSuite = crypto::Suite::kAes256Gcm;

Status malformed(const char* what) {
  return Status::error(Code::kMalformed, "sealed frame: %s", what);
}

bool known(FrameKind kind) {
  return kind == FrameKind::kPicture || kind == FrameKind::kDepth || kind == FrameKind::kEnd;
}

Status check_session(const FrameHeader& frame, Bytes nonce) {
  if (std::equal(nonce.begin(), nonce.end(), std::begin(frame.session_nonce), std::end(frame.session_nonce)))
    return {};
  return Status::error(Code::kAuthenticationFailed, "sealed frame: of another session");
}

}  // namespace

Status seal_frame(crypto::Engine& engine, const FrameKey& key, const FrameHeader& header, Bytes content,
                  MutableBytes out) {
  uint8_t iv[crypto::kNonceSize];
  VISAGE_TRY(engine.random(iv));
  Writer writer(out.first(kFrameHeaderSize));
  writer.number(kMagic);
  writer.number(header.kind);
  writer.number(header.light_step);
  writer.number(uint16_t{0});
  writer.number(header.index);
  writer.number(header.count);
  writer.number(uint32_t{0});
  writer.number(header.time_us);
  writer.write(header.session_nonce, sizeof header.session_nonce);
  writer.write(iv, sizeof iv);
  return engine.seal(kSuite, key.value.view(), iv, out.first(kFrameHeaderSize), content,
                     out.subspan(kFrameHeaderSize));
}

Status open_frame(crypto::Engine& engine, const FrameKey& key, Bytes sealed, FrameHeader& header,
                  capture::WipedVector<uint8_t>& content) {
  if (sealed.size() < sealed_frame_size(0)) return malformed("too short");
  Reader reader(sealed.first(kFrameHeaderSize));
  if (reader.number<uint32_t>() != kMagic) return malformed("another format");
  header.kind = reader.number<FrameKind>();
  header.light_step = reader.number<uint8_t>();
  const auto reserved = reader.number<uint16_t>();
  header.index = reader.number<uint16_t>();
  header.count = reader.number<uint16_t>();
  const auto reserved2 = reader.number<uint32_t>();
  header.time_us = reader.number<int64_t>();
  reader.copy(header.session_nonce, sizeof header.session_nonce);
  const Bytes iv = reader.take(crypto::kNonceSize);
  if (!reader.ok() || reserved != 0 || reserved2 != 0 || !known(header.kind)) return malformed("bad header");
  content.resize(sealed.size() - kFrameHeaderSize - kTag);
  return engine.open(kSuite, key.value.view(), iv, sealed.first(kFrameHeaderSize),
                     sealed.subspan(kFrameHeaderSize), content);
}

Status check_sequence(std::span<const FrameHeader> frames, Bytes session_nonce, size_t count) {
  if (frames.empty() || frames.size() > kMaxFrames) return malformed("no frames, or too many");
  for (size_t i = 0; i < frames.size(); ++i) {
    const FrameHeader& frame = frames[i];
    VISAGE_TRY(check_session(frame, session_nonce));
    if (frame.count != count || frame.index != i) return malformed("missing, doubled or out of order");
    if (frame.kind != frames[0].kind || frame.kind == FrameKind::kEnd) return malformed("kinds mixed");
    if (i > 0 && frame.time_us <= frames[i - 1].time_us) return malformed("times do not grow");
  }
  return {};
}

Status check_end(const FrameHeader& end, Bytes session_nonce, size_t frames) {
  VISAGE_TRY(check_session(end, session_nonce));
  if (end.kind != FrameKind::kEnd || frames == 0 || end.index != frames || end.count != frames)
    return malformed("frames are missing");
  return {};
}

}  // namespace visage::liveness
