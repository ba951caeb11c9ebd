// Expression (MediaPipe blendshapes): 52 muscles' movements, each 0…1, from the points of the face mesh.
#pragma once

#include <array>
#include <memory>

#include "sidecar/capture/mesh.h"
#include "sidecar/capture/session.h"

namespace visage::capture {

// In the network's order. "Left" is the person's left.
enum Blendshape : uint8_t {
  kNeutral,
  kBrowDownLeft,
  kBrowDownRight,
  kBrowInnerUp,
  kBrowOuterUpLeft,
  kBrowOuterUpRight,
  kCheekPuff,
  kCheekSquintLeft,
  kCheekSquintRight,
  kEyeBlinkLeft,
  kEyeBlinkRight,
  kEyeLookDownLeft,
  kEyeLookDownRight,
  kEyeLookInLeft,
  kEyeLookInRight,
  kEyeLookOutLeft,
  kEyeLookOutRight,
  kEyeLookUpLeft,
  kEyeLookUpRight,
  kEyeSquintLeft,
  kEyeSquintRight,
  kEyeWideLeft,
  kEyeWideRight,
  kJawForward,
  kJawLeft,
  kJawOpen,
  kJawRight,
  kMouthClose,
  kMouthDimpleLeft,
  kMouthDimpleRight,
  kMouthFrownLeft,
  kMouthFrownRight,
  kMouthFunnel,
  kMouthMovedLeft,
  kMouthLowerDownLeft,
  kMouthLowerDownRight,
  kMouthPressLeft,
  kMouthPressRight,
  kMouthPucker,
  kMouthMovedRight,
  kMouthRollLower,
  kMouthRollUpper,
  kMouthShrugLower,
  kMouthShrugUpper,
  kMouthSmileLeft,
  kMouthSmileRight,
  kMouthStretchLeft,
  kMouthStretchRight,
  kMouthUpperUpLeft,
  kMouthUpperUpRight,
  kNoseSneerLeft,
  kNoseSneerRight,
  kBlendshapes
};

using Blendshapes = std::array<float, kBlendshapes>;

class BlendshapeNetwork {
 public:
  static std::unique_ptr<BlendshapeNetwork> create(std::unique_ptr<Session> session, std::string& error);

  Status read(const Mesh& mesh, Blendshapes& out) const;

 private:
  explicit BlendshapeNetwork(std::unique_ptr<Session> session) : session_(std::move(session)) {}
  std::unique_ptr<Session> session_;
};

}  // namespace visage::capture
