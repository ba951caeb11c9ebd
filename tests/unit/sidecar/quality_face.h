// A face made by code for the quality tests: the mean face, turned, moved and drawn on a plain picture.
#pragma once

#include <opencv2/core.hpp>

#include "sidecar/quality/assess.h"

namespace visage::quality::test {

struct Turn {
  double yaw = 0, pitch = 0, roll = 0;  // degrees, as in Pose
};

class MadeFace {
 public:
  // `outer_eyes` is the distance of the outer eye corners in px, seen from the front.
  explicit MadeFace(cv::Size size = {640, 640}, const cv::Scalar& colour = {120, 150, 200},
                    double outer_eyes = 160, Turn turn = {}, capture::Point middle = {320, 320});

  cv::Mat picture;
  std::vector<uint8_t> file;
  std::vector<capture::Detection> faces;
  capture::Mesh mesh;
  capture::Blendshapes shapes{};
  bool has_shapes = true;
  DepthFrame depth;  // used once it has a size

  Reading read(probe::Measure measure) const;
  View view() const;

  // Fills the hull of some points, grown around its middle.
  void paint(std::span<const uint16_t> outline, float grow, const cv::Scalar& colour);
  // A depth map of the face's own relief: its outer eyes are 90 mm apart, the background is a wall.
  void make_depth(cv::Size size, float distance_mm = 500, float wall_mm = 900);
};

}  // namespace visage::quality::test
