// Faces in a picture: BlazeFace (MediaPipe), either of its two variants. The file's input side, 256 or 128,
// tells which.
#pragma once

#include <memory>

#include "sidecar/capture/detection.h"
#include "sidecar/capture/session.h"

namespace visage::capture {

class Detector {
 public:
  // Null and `error` set when the network is not a BlazeFace.
  static std::unique_ptr<Detector> create(std::unique_ptr<Session> session, std::string& error);

  // Candidates in pixels of `image` (BGR), best score first; boxes may reach past the edges.
  Status find(const cv::Mat& image, std::vector<Detection>& faces) const;

 private:
  explicit Detector(std::unique_ptr<Session> session);
  std::unique_ptr<Session> session_;
  float side_;  // px of the network's square input
  std::array<Point, kAnchors> anchors_ = make_anchors();
};

}  // namespace visage::capture
