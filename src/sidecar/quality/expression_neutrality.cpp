// ExpressionNeutrality (0x5b) by blendshapes, not by OFIQ's networks: the strongest movement that is neither
// neutral nor a smile. The standard takes both (7.4g); blinks and lips have measures of their own.
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading expression_neutrality(const View& view) {
  using namespace capture;
  constexpr Blendshape kExpressive[] = {
      kBrowInnerUp,    kBrowOuterUpLeft,  kBrowOuterUpRight,  kCheekPuff,      kEyeWideLeft,
      kEyeWideRight,   kJawForward,       kJawLeft,           kJawRight,       kJawOpen,
      kMouthFrownLeft, kMouthFrownRight,  kMouthFunnel,       kMouthMovedLeft, kMouthMovedRight,
      kMouthPucker,    kMouthStretchLeft, kMouthStretchRight, kNoseSneerLeft,  kNoseSneerRight};
  // The network sees lowered brows in faces at rest (median 0.31 of the portraits) and more in smiles.
  constexpr Blendshape kBrowsDown[] = {kBrowDownLeft, kBrowDownRight};
  constexpr float kAtRest = 0.4f;
  if (view.scene.shapes == nullptr) return undetermined();
  float strongest = 0;
  for (const Blendshape shape : kExpressive) strongest = std::max(strongest, (*view.scene.shapes)[shape]);
  for (const Blendshape shape : kBrowsDown)
    strongest = std::max(strongest, ((*view.scene.shapes)[shape] - kAtRest) / (1 - kAtRest));
  return mapped(strongest, 100 * (1 - strongest));
}

}  // namespace visage::quality
