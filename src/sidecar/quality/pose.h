// Head pose and shape from the points of the mesh, against the mean face.
#pragma once

#include <array>

#include "sidecar/capture/mesh.h"

namespace visage::quality {

struct Pose {
  bool known = false;
  // Degrees. Yaw is positive when the person looks to their left (right in the picture), pitch when they look
  // down, roll when the head is turned clockwise in the picture. Pitch 0 is the mean of people who look into
  // a camera at eye level.
  float yaw = 0, pitch = 0, roll = 0;
  // How much wider the face is than the mean face in this pose would be, as a ratio; 1 when alike.
  float aspect = 1;
  // Ends of the head's own axes (right in the picture, down, towards the camera), px from the nose bridge.
  std::array<capture::Point, 3> axes;
  capture::Point origin;
};

Pose estimate_pose(const capture::Mesh& mesh);

}  // namespace visage::quality
