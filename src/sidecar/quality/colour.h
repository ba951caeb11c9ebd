// Colour as the measures need it: linear light, CIELAB.
#pragma once

#include <array>
#include <opencv2/core.hpp>

namespace visage::quality {

// Linear light of an 8-bit sRGB sample, 0…1 (IEC 61966-2-1).
double linear(uint8_t encoded);

// 8-bit BGR to 8-bit luminance of linear light, Rec. 709 weights: 255·(0.2126 R + 0.7152 G + 0.0722 B),
// rounded.
void to_luminance(const cv::Mat& bgr, cv::Mat& out);

struct Lab {
  double lightness, a, b;
};
enum class White { kD50, kD65 };
// Linear RGB, each 0…1, to CIELAB. D50 after Bradford's adaptation.
Lab to_lab(double r, double g, double b, White white);

}  // namespace visage::quality
