#include "liveness_actor.h"

#include <algorithm>

#include "liveness_made.h"
#include "sidecar/quality/assess.h"

namespace visage::bench {
namespace {

float smile(const liveness::Observation& seen) {
  return (seen.shapes[capture::kMouthSmileLeft] + seen.shapes[capture::kMouthSmileRight]) / 2;
}

bool eyes_shut(const liveness::Observation& seen) {
  constexpr float kShut = 0.5f;  // what programs that watch these blendshapes take for a shut eye
  return std::min(seen.shapes[capture::kEyeBlinkLeft], seen.shapes[capture::kEyeBlinkRight]) > kShut;
}

// Dark glasses, hair: as the quality profile of registrations has it (7.4d).
bool eyes_covered(const cv::Mat& portrait, const liveness::Observation& seen) {
  constexpr double kCovered = 0.6;
  capture::Detection face;
  face.box = seen.box;
  const std::vector<capture::Detection> faces = {face};
  const quality::View view({portrait, {}, faces, seen.mesh, &seen.shapes, nullptr});
  const auto definitions = quality::definitions();
  for (size_t i = 0; i < definitions.size(); ++i)
    if (definitions[i].id == probe::Measure::kEyesVisible) {
      const quality::Reading reading = quality::functions()[i](view);
      return reading.assessed && static_cast<double>(reading.native) > kCovered;
    }
  return false;
}

}  // namespace

Actor bring_to_rest(const capture::Pipeline& pipeline, const cv::Mat& portrait,
                    const liveness::Observation& seen) {
  Actor out;
  if (eyes_shut(seen))
    out.left_out = kLeftOut[0];
  else if (eyes_covered(portrait, seen))
    out.left_out = kLeftOut[1];
  if (!out.left_out.empty()) return out;
  constexpr float kAtRest = 0.1f, kStep = 0.125f, kMost = 1.5f;
  const Puppet puppet(portrait, seen.mesh);
  for (float share = 0; share <= kMost; share += kStep) {
    out.portrait = puppet.show({.open = -1, .smile = -share});
    if (!pipeline.observe({encode(out.portrait, 95), 0, -1}, out.seen) && out.seen.faces > 0 &&
        smile(out.seen) < kAtRest)
      return out;
  }
  out.left_out = kLeftOut[2];
  return out;
}

}  // namespace visage::bench
