// IlluminationUniformity (0x43): intersection of the luminance histograms of both cheeks.
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading illumination_uniformity(const View& view) {
  const auto squares = view.cheeks();
  if (squares[0].empty() || squares[1].empty()) return undetermined();
  std::array<std::array<int, 256>, 2> histograms{};
  for (size_t i = 0; i < 2; ++i)
    for (int y = squares[i].y; y < squares[i].br().y; ++y)
      for (int x = squares[i].x; x < squares[i].br().x; ++x)
        ++histograms[i][view.luminance.at<uint8_t>(y, x)];
  int common = 0;
  for (size_t level = 0; level < 256; ++level) common += std::min(histograms[0][level], histograms[1][level]);
  const double share = static_cast<double>(common) / squares[0].area();
  return mapped(share, 100 * std::pow(share, 0.3));
}

}  // namespace visage::quality
