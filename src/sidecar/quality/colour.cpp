#include "sidecar/quality/colour.h"

#include <cmath>

namespace visage::quality {
namespace {

struct Tables {
  std::array<double, 256> linear;
  std::array<float, 256> blue, green, red;

  Tables() {
    for (size_t i = 0; i < 256; ++i) {
      const double v = static_cast<double>(i) / 255;
      linear[i] = v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
      red[i] = static_cast<float>(255 * 0.2126 * linear[i]);
      green[i] = static_cast<float>(255 * 0.7152 * linear[i]);
      blue[i] = static_cast<float>(255 * 0.0722 * linear[i]);
    }
  }
};

const Tables& tables() {
  static const Tables made;
  return made;
}

double compress(double t) {
  constexpr double kEpsilon = 216.0 / 24389, kKappa = 24389.0 / 27;
  return t > kEpsilon ? std::cbrt(t) : (kKappa * t + 16) / 116;
}

}  // namespace

double linear(uint8_t encoded) {
  return tables().linear[encoded];
}

void to_luminance(const cv::Mat& bgr, cv::Mat& out) {
  const Tables& t = tables();
  out.create(bgr.size(), CV_8U);
  for (int y = 0; y < bgr.rows; ++y) {
    const uint8_t* in = bgr.ptr(y);
    uint8_t* to = out.ptr(y);
    for (int x = 0; x < bgr.cols; ++x, in += 3)
      to[x] = static_cast<uint8_t>(t.blue[in[0]] + t.green[in[1]] + t.red[in[2]] + 0.5f);
  }
}

Lab to_lab(double r, double g, double b, White white) {
  // sRGB primaries to XYZ, relative to D65; and the same adapted to D50 (Bradford).
  constexpr double kD65[3][3] = {{0.4124564, 0.3575761, 0.1804375},
                                 {0.2126729, 0.7151522, 0.0721750},
                                 {0.0193339, 0.1191920, 0.9503041}};
  constexpr double kD50[3][3] = {{0.4360747, 0.3850649, 0.1430804},
                                 {0.2225045, 0.7168786, 0.0606169},
                                 {0.0139322, 0.0971045, 0.7141733}};
  const auto& matrix = white == White::kD50 ? kD50 : kD65;
  double f[3];
  for (int i = 0; i < 3; ++i) {
    // The white point is what (1, 1, 1) becomes, so that grey has no colour at all.
    const double reference = matrix[i][0] + matrix[i][1] + matrix[i][2];
    f[i] = compress((matrix[i][0] * r + matrix[i][1] * g + matrix[i][2] * b) / reference);
  }
  return {116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])};
}

}  // namespace visage::quality
