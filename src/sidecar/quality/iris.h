// Where the mesh sees the irises, in pixels of View::face.
#pragma once

#include <array>
#include <span>

#include "sidecar/quality/view.h"

namespace visage::quality {

struct Iris {
  capture::Point middle;
  float radius = 0;
  std::span<const uint16_t> lids;  // the eye's contour
};

inline std::array<Iris, 2> irises(const View& view) {
  constexpr uint16_t kMiddles[] = {468, 473};  // the four points after each lie on the rim
  const std::span<const uint16_t> contours[] = {left_eye_contour(), right_eye_contour()};
  const capture::Point shift(static_cast<float>(view.area.x), static_cast<float>(view.area.y));
  std::array<Iris, 2> out;
  for (size_t eye = 0; eye < out.size(); ++eye) {
    const capture::Point middle = view.points[kMiddles[eye]];
    for (size_t i = 1; i <= 4; ++i)
      out[eye].radius = std::max(out[eye].radius, capture::distance(middle, view.points[kMiddles[eye] + i]));
    out[eye].middle = middle - shift;
    out[eye].lids = contours[eye];
  }
  return out;
}

}  // namespace visage::quality
