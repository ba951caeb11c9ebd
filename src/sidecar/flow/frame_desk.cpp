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

Status open_bundle(crypto::Engine& engine, const liveness::FrameKey& key, Bytes session_nonce, Bytes bundle,
                   OpenedFrames& out) {
  out = {};
  Reader reader(bundle);
  while (reader.remaining() > 0) {
    const Bytes sealed = reader.take(reader.number<uint32_t>());
    FrameHeader header;
    WipedBytes content;
    if (!reader.ok() || out.pictures.size() > liveness::kMaxFrames || !out.depth.empty())
      return Status::error(Code::kMalformed, "the bundle of frames is damaged, or too long");
    VISAGE_TRY(liveness::open_frame(engine, key, sealed, header, content));
    if (header.kind == FrameKind::kDepth) {
      VISAGE_TRY(liveness::check_sequence({&header, 1}, session_nonce, 1));
      out.depth = std::move(content);
      out.depth_time_us = header.time_us;
    } else {
      out.headers.push_back(header);
      out.pictures.push_back(std::move(content));
    }
  }
  return liveness::check_sequence(out.headers, session_nonce, out.headers.size());
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

Status FrameDesk::open_with_any(
    Bytes page_point, Bytes session_nonce, Clock::time_point now,
    const std::function<Status(crypto::Engine&, const liveness::FrameKey&)>& open) {
  thread_local const std::unique_ptr<crypto::Engine> engine(crypto::Engine::create());
  if (!engine) return broken();
  std::shared_ptr<Turn> turns[2];
  {
    const std::lock_guard lock(mutex_);
    turn(now);
    turns[0] = current_;
    turns[1] = previous_;
  }
  for (const std::shared_ptr<Turn>& with : turns) {
    if (!with) continue;
    liveness::FrameKey key;
    VISAGE_TRY(with->key->agree(*engine, page_point, page_point, with->key->point(), session_nonce, key));
    const Status status = open(*engine, key);
    if (status.code != Code::kAuthenticationFailed) return status;
  }
  return refused();
}

bool FrameDesk::use(Bytes page_point, Clock::time_point now) {
  const std::string name(reinterpret_cast<const char*>(page_point.data()), page_point.size());
  const std::lock_guard lock(mutex_);
  turn(now);
  // With the younger key, whichever opened it: so it is remembered for as long as either opens anything.
  if (!current_ || (previous_ && previous_->used.contains(name))) return false;
  return current_->used.insert(name).second;
}

Status FrameDesk::open(Bytes page_point, Bytes session_nonce, Bytes bundle, OpenedFrames& out,
                       Clock::time_point now) {
  Status status = open_with_any(page_point, session_nonce, now,
                                [&](crypto::Engine& engine, const liveness::FrameKey& key) {
                                  return open_bundle(engine, key, session_nonce, bundle, out);
                                });
  // Only who could seal uses a key up: nobody else can spend it.
  if (status.ok() && !use(page_point, now))
    status = Status::error(Code::kAuthenticationFailed, "these frames were sent before");
  if (!status.ok()) out = {};
  return status;
}

Status FrameDesk::open_one(Bytes page_point, Bytes session_nonce, Bytes sealed, OpenedFrame& out,
                           Clock::time_point now) {
  return open_with_any(page_point, session_nonce, now,
                       [&](crypto::Engine& engine, const liveness::FrameKey& key) {
                         return liveness::open_frame(engine, key, sealed, out.header, out.content);
                       });
}

}  // namespace visage::sidecar
