// Captures whose frames come one by one: what was seen of each so far, between one frame and the next.
//
// A session has one at most. Nothing here is a verdict: that is made at the end, from all frames at once, and
// kept nowhere. A restart forgets everything, and the page captures again. Of the pictures one is kept, of
// the other frames numbers, in memory that is wiped, for as long as a capture may take and no longer.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sidecar/capture/pipeline.h"
#include "sidecar/liveness/frame.h"

namespace visage::sidecar {

struct CaptureUnderWay {
  using Clock = std::chrono::steady_clock;
  CaptureUnderWay(const liveness::PublicPoint& key, Clock::time_point now) : page(key), began(now) {}

  const liveness::PublicPoint page;  // the public point of the page that it comes from
  const Clock::time_point began;

  // Of who adds a frame, or judges; one at a time.
  std::mutex mutex;
  bool over = false;  // nothing more comes
  std::vector<liveness::FrameHeader> headers;
  capture::Sequence seen;
};

// Thread-safe.
class CaptureDesk {
 public:
  using Clock = CaptureUnderWay::Clock;
  // Of which each has up to kMaxFrames times 45 kB, and a picture. Asked before one begins: as many more as
  // there are requests at a time may slip in.
  static constexpr size_t kMost = 256;
  // From the first frame. A little more than what judge_injection() takes for one capture.
  static constexpr auto kLongest = std::chrono::seconds(130);

  // Null when the session has none from this page.
  std::shared_ptr<CaptureUnderWay> find(const std::string& session, const liveness::PublicPoint& page,
                                        Clock::time_point now = Clock::now());
  bool has_room(const std::string& session, Clock::time_point now = Clock::now());
  // In place of one that the session had.
  std::shared_ptr<CaptureUnderWay> begin(const std::string& session, const liveness::PublicPoint& page,
                                         Clock::time_point now = Clock::now());
  void drop(const std::string& session);
  void drop(const std::string& session, const CaptureUnderWay& which);  // unless another took its place
  void forget_old(Clock::time_point now = Clock::now());
  size_t size(Clock::time_point now = Clock::now());

 private:
  void forget_before(Clock::time_point limit);

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<CaptureUnderWay>> captures_;  // by session
};

}  // namespace visage::sidecar
