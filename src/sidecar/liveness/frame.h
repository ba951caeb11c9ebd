// A sealed frame: one picture of a capture as the page sends it. The layout is docs/liveness.md "sealed
// frame".
//
// The page makes a key pair for one capture, agrees on a key with the daemon (ECDH on P-256, HKDF-SHA256
// salted with the session's nonce) and seals every frame with AES-256-GCM: WebCrypto has all of it. TLS
// protects the same bytes on the way already; this ties them to one session, one capture, one place in it and
// one time, so that frames can be neither mixed, reordered, left out nor used again by whoever sits in
// between.
#pragma once

#include <memory>
#include <vector>

#include "core/base/secret.h"
#include "core/base/status.h"
#include "core/crypto/engine.h"
#include "sidecar/capture/wiping.h"

namespace visage::liveness {

inline constexpr size_t kPointSize = 65;  // uncompressed point of P-256 (SEC 1, 2.3.3)
inline constexpr size_t kScalarSize = 32;
inline constexpr size_t kFrameKeySize = 32;
inline constexpr size_t kFrameHeaderSize = 68;
inline constexpr size_t kMaxFrames = 64;

using PublicPoint = std::array<uint8_t, kPointSize>;
using FrameKey = Secret<KeyBytes<kFrameKeySize>>;

enum class FrameKind : uint8_t {
  kPicture = 1,
  kDepth = 2,
  kEnd = 3,  // nothing in it: says how many frames there were, of a capture whose frames came one by one
};
inline constexpr uint8_t kNoLight = 255;
inline constexpr uint16_t kNotCounted = 0;  // a frame that is sent before the last one is known

struct FrameHeader {
  FrameKind kind = FrameKind::kPicture;
  uint8_t light_step = kNoLight;  // of the colour sequence, when the picture was taken
  uint16_t index = 0,
           count = 0;   // place among the frames of one kind, and how many there are, or kNotCounted
  int64_t time_us = 0;  // of capture, on the page's clock
  uint8_t session_nonce[32]{};
};

// One side's key pair. The daemon's lives as long as its process, or less; the page's for one capture.
class FrameKeyPair {
 public:
  static std::unique_ptr<FrameKeyPair> create();  // null when libcrypto fails
  // For test vectors.
  static std::unique_ptr<FrameKeyPair> from_private(Bytes scalar);
  ~FrameKeyPair();
  FrameKeyPair(const FrameKeyPair&) = delete;
  FrameKeyPair& operator=(const FrameKeyPair&) = delete;

  const PublicPoint& point() const { return point_; }
  // The key that both sides get. `page` and `daemon` are the two public points, one of them ours.
  // kMalformed when `other` is no point of the curve.
  Status agree(crypto::Engine& engine, Bytes other, Bytes page, Bytes daemon, Bytes session_nonce,
               FrameKey& out) const;

 private:
  FrameKeyPair() = default;
  bool take(void* key);
  void* key_ = nullptr;  // EVP_PKEY
  PublicPoint point_{};
};

inline constexpr size_t sealed_frame_size(size_t content) {
  return kFrameHeaderSize + content + 16;
}
// Draws the IV. `out` has sealed_frame_size() bytes.
Status seal_frame(crypto::Engine& engine, const FrameKey& key, const FrameHeader& header, Bytes content,
                  MutableBytes out);
// kMalformed for what is no frame, kAuthenticationFailed for what this key did not seal.
Status open_frame(crypto::Engine& engine, const FrameKey& key, Bytes sealed, FrameHeader& header,
                  capture::WipedVector<uint8_t>& content);

// Whether the headers belong to one capture of the session: its nonce, one count, every index once and in
// order, times that grow. `frames` are those of one kind as they came, each with `count`.
Status check_sequence(std::span<const FrameHeader> frames, Bytes session_nonce, size_t count);
// Whether this is the end of a capture of so many frames, which came one by one.
Status check_end(const FrameHeader& end, Bytes session_nonce, size_t frames);

}  // namespace visage::liveness
