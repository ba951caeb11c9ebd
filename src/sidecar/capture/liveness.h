// Passive liveness of one picture: MiniFASNetV2 (minivision's Silent-Face-Anti-Spoofing).
//
// A signal, not a verdict: it sees printed and replayed pictures, and misses worn masks and generated faces.
// It sees nothing of where the picture came from.
#pragma once

#include <memory>

#include "sidecar/capture/geometry.h"
#include "sidecar/capture/session.h"

namespace visage::capture {

class Liveness {
 public:
  static std::unique_ptr<Liveness> create(std::unique_ptr<Session> session, std::string& error);

  // Probability that the face in `face` is bona fide, 0…1. The network judges the surroundings too.
  Status judge(const cv::Mat& image, const Box& face, float& live) const;

 private:
  explicit Liveness(std::unique_ptr<Session> session) : session_(std::move(session)) {}
  std::unique_ptr<Session> session_;
};

}  // namespace visage::capture
