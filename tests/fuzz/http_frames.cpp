// A bundle of sealed frames, as a capture page sends it. First byte even: the rest is the bundle as it
// stands. Odd: the rest is headers of 16 bytes each, which are sealed here, so that what is behind the seal
// is reached.
#include "sidecar/flow/frame_desk.h"
#include "target.h"

namespace {

using namespace visage;
using namespace visage::sidecar;

constexpr uint8_t kNonce[32] = {7};

const liveness::FrameKeyPair& page() {
  static const std::unique_ptr<liveness::FrameKeyPair> pair = [] {
    uint8_t scalar[liveness::kScalarSize] = {};
    scalar[31] = 5;
    return liveness::FrameKeyPair::from_private(scalar);
  }();
  return *pair;
}

std::vector<uint8_t> sealed(Bytes headers, const liveness::PublicPoint& daemon) {
  liveness::FrameKey key;
  fuzz::require(page().agree(fuzz::engine(), daemon, page().point(), daemon, kNonce, key).ok());
  std::vector<uint8_t> bundle;
  Reader reader(headers);
  while (reader.remaining() >= 16) {
    liveness::FrameHeader header;
    header.kind = reader.number<liveness::FrameKind>();
    header.light_step = reader.number<uint8_t>();
    header.index = reader.number<uint16_t>();
    header.count = reader.number<uint16_t>();
    header.time_us = reader.number<int64_t>();
    const auto size = static_cast<uint32_t>(reader.number<uint16_t>() % 64);
    std::copy(std::begin(kNonce), std::end(kNonce), header.session_nonce);
    if (reader.remaining() % 5 == 4) header.session_nonce[0] ^= 1;  // some are of another session
    const std::vector<uint8_t> content(size, 1);
    const auto length = static_cast<uint32_t>(liveness::sealed_frame_size(size));
    const size_t at = bundle.size();
    bundle.resize(at + 4 + length);
    std::memcpy(bundle.data() + at, &length, 4);
    fuzz::require(
        liveness::seal_frame(fuzz::engine(), key, header, content, MutableBytes(bundle).subspan(at + 4))
            .ok());
  }
  return bundle;
}

// The same frames by themselves, as a page sends them that does not wait for the last one. What comes so far
// in order has an end, and one end.
void run_one_by_one(FrameDesk& desk, Bytes bundle, bool raw) {
  std::vector<liveness::FrameHeader> headers;
  Reader reader(bundle);
  while (reader.remaining() > 0) {
    const Bytes sealed = reader.take(reader.number<uint32_t>());
    OpenedFrame opened;
    if (!reader.ok() || !desk.open_one(page().point(), kNonce, sealed, opened).ok()) return;
    fuzz::require(!raw);
    const bool ends = liveness::check_end(opened.header, kNonce, headers.size()).ok();
    fuzz::require(!ends || (!headers.empty() && opened.header.count == headers.size()));
    headers.push_back(opened.header);
    const bool goes_on = liveness::check_sequence(headers, kNonce, liveness::kNotCounted).ok();
    fuzz::require(!ends || !goes_on);
    fuzz::require(!goes_on || headers.size() <= liveness::kMaxFrames);
    if (!goes_on) return;
  }
}

}  // namespace

VISAGE_FUZZ_TARGET(http_frames) {
  if (input.empty()) return;
  FrameDesk desk;
  liveness::PublicPoint point;
  fuzz::require(desk.point(point).ok());
  const bool raw = input[0] % 2 == 0;
  const std::vector<uint8_t> made = raw ? std::vector<uint8_t>() : sealed(input.subspan(1), point);
  const Bytes bundle = raw ? input.subspan(1) : Bytes(made);
  run_one_by_one(desk, bundle, raw);
  OpenedFrames opened;
  if (!desk.open(page().point(), kNonce, bundle, opened).ok()) return;
  fuzz::require(!raw);  // nothing opens that was not sealed
  fuzz::require(!opened.headers.empty() && opened.headers.size() == opened.pictures.size() &&
                opened.headers.size() <= liveness::kMaxFrames);
  for (size_t i = 0; i < opened.headers.size(); ++i) {
    fuzz::require(opened.headers[i].index == i && opened.headers[i].count == opened.headers.size());
    fuzz::require(i == 0 || opened.headers[i].time_us > opened.headers[i - 1].time_us);
  }
  // The same frames are of no use a second time.
  fuzz::require(!desk.open(page().point(), kNonce, bundle, opened).ok() && opened.pictures.empty());
}
