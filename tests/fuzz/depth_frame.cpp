// A depth map: the first bytes choose what the caller states of it, the rest is the map.
#include "sidecar/quality/depth.h"

#include <cstring>

#include "target.h"

VISAGE_FUZZ_TARGET(depth_frame) {
  using namespace visage;
  constexpr size_t kStated = 12;
  if (input.size() < kStated || input.size() > 8192) return;
  quality::DepthSettings settings;
  // 0 keeps a side unstated, as a PNG may leave it.
  settings.width = static_cast<int16_t>(input[0] | input[1] << 8);
  settings.height = static_cast<int16_t>(input[2] | input[3] << 8);
  std::memcpy(&settings.unit_mm, input.data() + 4, sizeof settings.unit_mm);
  std::memcpy(&settings.fx, input.data() + 8, sizeof settings.fx);
  settings.fy = settings.fx;
  if (!quality::plausible(settings)) return;
  fuzz::require(settings.unit_mm > 0 && settings.fx >= 0);
  const capture::Limits limits = {
      .max_bytes = 8192, .max_pixels = 16'384, .max_side = 512, .min_side = 4, .decode_ms = 200};
  quality::DepthFrame frame;
  if (quality::read_depth(input.subspan(kStated), settings, limits, frame)) return;
  fuzz::require(frame.steps.type() == CV_16U && frame.steps.total() <= limits.max_pixels);
  fuzz::require(frame.steps.cols >= limits.min_side && frame.steps.rows >= limits.min_side);
  fuzz::require(settings.width == 0 || frame.steps.cols == settings.width);
  fuzz::require(settings.height == 0 || frame.steps.rows == settings.height);
  fuzz::require(frame.millimetres(frame.steps.cols - 1, frame.steps.rows - 1) >= 0);
}
