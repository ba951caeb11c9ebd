#include "sidecar/liveness/texture.h"

#include <algorithm>

namespace visage::liveness {
namespace {

// Amplitude over that of its surroundings. Noise alone reaches about 4, hair and cloth 6: make
// bench-liveness.
constexpr float kMostPeak = 9;

}  // namespace

Outcome judge_texture(Observations frames) {
  std::vector<float> peaks;
  for (const Observation& frame : frames)
    if (frame.faces > 0 && frame.peaks > 0) peaks.push_back(frame.peaks);
  if (peaks.empty()) return undetermined(Method::kTexture, Reason::kFaceLost);
  const auto middle = peaks.begin() + static_cast<long>(peaks.size() / 2);
  std::nth_element(peaks.begin(), middle, peaks.end());
  if (*middle > kMostPeak) return fail(Method::kTexture, Reason::kPeriodicDots, kMostPeak / *middle / 2);
  return pass(Method::kTexture, 1 - *middle / kMostPeak / 2);
}

}  // namespace visage::liveness
