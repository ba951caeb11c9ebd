// Where sealed frames are opened: keeps the daemon's frame key, and remembers who has used it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "sidecar/app/wiped.h"
#include "sidecar/liveness/frame.h"

namespace visage::sidecar {

struct OpenedFrames {
  std::vector<liveness::FrameHeader> headers;
  std::vector<WipedBytes> pictures;  // as many
  WipedBytes depth;                  // of the first picture; empty: none was sent
  int64_t depth_time_us = 0;
};

struct OpenedFrame {
  liveness::FrameHeader header;
  WipedBytes content;
};

// Thread-safe. Keys live in this process only: after a restart, or on another daemon, a page starts again.
class FrameDesk {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr auto kTurn = std::chrono::minutes(60);  // a key is given out for one, and taken for two
  // Page keys remembered a turn. Beyond, the key turns early, and captures that were going on start again.
  static constexpr size_t kMostUsed = 200'000;

  // The public point to seal for.
  Status point(liveness::PublicPoint& out, Clock::time_point now = Clock::now());

  // `bundle` is sealed frames one after another, each behind its length (u32, little-endian): the pictures in
  // order, then at most one depth map. A page's key opens one bundle, ever: the same frames cannot be sent
  // twice.
  Status open(Bytes page_point, Bytes session_nonce, Bytes bundle, OpenedFrames& out,
              Clock::time_point now = Clock::now());

  // One frame by itself. Neither its place nor its session is looked at: that is for who knows the others.
  Status open_one(Bytes page_point, Bytes session_nonce, Bytes sealed, OpenedFrame& out,
                  Clock::time_point now = Clock::now());
  // For who opened something with it: true once for each page's key, so that it is of one capture.
  bool use(Bytes page_point, Clock::time_point now = Clock::now());

 private:
  struct Turn {
    std::unique_ptr<liveness::FrameKeyPair> key;
    Clock::time_point since;
    std::unordered_set<std::string> used;  // public points of pages
  };
  void turn(Clock::time_point now);
  // Of the daemon's keys the one that opens it.
  Status open_with_any(Bytes page_point, Bytes session_nonce, Clock::time_point now,
                       const std::function<Status(crypto::Engine&, const liveness::FrameKey&)>& open);

  std::mutex mutex_;
  std::shared_ptr<Turn> current_, previous_;
};

}  // namespace visage::sidecar
