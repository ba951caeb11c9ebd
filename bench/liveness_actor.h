// Who plays in the films of bench-liveness.
#pragma once

#include <opencv2/core.hpp>
#include <string_view>

#include "sidecar/capture/pipeline.h"
#include "sidecar/liveness/observation.h"

namespace visage::bench {

// A portrait at rest: lips together and no smile, so that each movement is a change against it.
struct Actor {
  cv::Mat portrait;
  liveness::Observation seen;
  std::string_view left_out;  // why this portrait cannot play, or empty: known from the portrait alone
};

inline constexpr std::string_view kLeftOut[] = {"eyes_shut", "eyes_covered", "smile_stays"};

// `portrait` has a face, as `seen` saw it.
Actor bring_to_rest(const capture::Pipeline& pipeline, const cv::Mat& portrait,
                    const liveness::Observation& seen);

}  // namespace visage::bench
