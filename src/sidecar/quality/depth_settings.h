// What an uploader states about a depth map; plain data.
#pragma once

#include <optional>

namespace visage::quality {

struct DepthSettings {
  // Of a raw frame; a PNG says it itself, and has to agree when these are given.
  int width = 0, height = 0;
  float unit_mm = 1;                // millimetres a step
  float fx = 0, fy = 0;             // focal lengths in px of the depth map; 0: not known
  float cx = 0, cy = 0;             // principal point
  std::optional<double> skew_ms{};  // time of the depth frame less that of the picture
};

// Whether the figures make sense: finite, positive where they must be.
bool plausible(const DepthSettings& settings);

}  // namespace visage::quality
