#include "sidecar/flow/frame_desk.h"

namespace visage::sidecar {
namespace {

using liveness::FrameHeader;
using liveness::FrameKind;

Status broken() {
  return Status::error(Code::kInternal, "no frame key could be made");
}
Status refused() {
  return Status::error(Code::kAuthenticationFailed, "the frames were not sealed for this daemon and session");
}

}  // namespace

void FrameDesk::turn(Clock::time_point now) {
  const bool due = !current_ || now - current_->since >= kTurn || current_->used.size() >= kMostUsed;
  if (due) {
    previous_ = std::move(current_);
    current_ = std::make_shared<Turn>();
    current_->key = liveness::FrameKeyPair::create();
    current_->since = now;
    if (!current_->key) current_.reset();
  }
  if (previous_ && now - previous_->since >= 2 * kTurn) previous_.reset();
}

Status FrameDesk::point(liveness::PublicPoint& out, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  turn(now);
  if (!current_) return broken();
  out = current_->key->point();
  return {};
}

Status FrameDesk::open(Bytes page_point, Bytes session_nonce, Bytes bundle, OpenedFrames& out,
                       Clock::time_point now) {
  std::shared_ptr<Turn> turns[2];
  {
    const std::lock_guard lock(mutex_);
    turn(now);
    turns[0] = current_;
    turns[1] = previous_;
  }
  const std::string name(reinterpret_cast<const char*>(page_point.data()), page_point.size());
  for (const std::shared_ptr<Turn>& with : turns) {
    if (!with) continue;
    const Status status = open_with(*with->key, page_point, session_nonce, bundle, out);
    if (status.code == Code::kAuthenticationFailed) continue;
    VISAGE_TRY(status);
    // Only who could seal uses a key up: nobody else can spend it.
    const std::lock_guard lock(mutex_);
    if (with->used.size() >= kMostUsed || !with->used.insert(name).second) {
      out = {};
      return Status::error(Code::kAuthenticationFailed, "these frames were sent before");
    }
    return {};
  }
  out = {};
  return refused();
}

Status FrameDesk::open_with(const liveness::FrameKeyPair& pair, Bytes page_point, Bytes session_nonce,
                            Bytes bundle, OpenedFrames& out) const {
  thread_local const std::unique_ptr<crypto::Engine> engine(crypto::Engine::create());
  if (!engine) return broken();
  out = {};
  liveness::FrameKey key;
  VISAGE_TRY(pair.agree(*engine, page_point, page_point, pair.point(), session_nonce, key));
  Reader reader(bundle);
  while (reader.remaining() > 0) {
    const Bytes sealed = reader.take(reader.number<uint32_t>());
    FrameHeader header;
    WipedBytes content;
    if (!reader.ok() || out.pictures.size() > liveness::kMaxFrames || !out.depth.empty())
      return Status::error(Code::kMalformed, "the bundle of frames is damaged, or too long");
    VISAGE_TRY(liveness::open_frame(*engine, key, sealed, header, content));
    if (header.kind == FrameKind::kDepth) {
      VISAGE_TRY(liveness::check_sequence({&header, 1}, session_nonce));
      out.depth = std::move(content);
    } else {
      out.headers.push_back(header);
      out.pictures.push_back(std::move(content));
    }
  }
  return liveness::check_sequence(out.headers, session_nonce);
}

}  // namespace visage::sidecar
