// LightColour (ours, 7.4i): colour of the light, seen on the whites of the eyes, which are nearly white by
// themselves: CIELAB chroma (D65) of the brighter half of the eyes without the irises. In white light the
// whites have a chroma of some 5 to 15, from vessels and the lids' reflection.
#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "sidecar/quality/colour.h"
#include "sidecar/quality/iris.h"
#include "sidecar/quality/measures.h"

namespace visage::quality {
namespace {

struct Sample {
  uint8_t luminance, blue, green, red;
};

void collect(const View& view, const Iris& iris, std::vector<Sample>& out) {
  cv::Mat white = view.mask_of(iris.lids, 0.85f);  // lids' edges cast shadow and are red
  cv::circle(white, {cvRound(iris.middle.x), cvRound(iris.middle.y)}, cvRound(1.1f * iris.radius), 0,
             cv::FILLED);
  cv::bitwise_and(white, view.hull, white);
  const cv::Rect box = cv::boundingRect(white);
  for (int y = box.y; y < box.br().y; ++y)
    for (int x = box.x; x < box.br().x; ++x)
      if (white.at<uint8_t>(y, x) != 0) {
        const cv::Vec3b pixel = view.face.at<cv::Vec3b>(y, x);
        out.push_back({view.luminance.at<uint8_t>(y, x), pixel[0], pixel[1], pixel[2]});
      }
}

}  // namespace

Reading light_colour(const View& view) {
  constexpr size_t kFewest = 60;  // px of the frame, both eyes
  std::vector<Sample> samples;
  for (const Iris& iris : irises(view)) collect(view, iris, samples);
  if (samples.size() < kFewest) return undetermined();
  const auto half = samples.begin() + static_cast<long>(samples.size() / 2);
  std::nth_element(samples.begin(), half, samples.end(),
                   [](const Sample& a, const Sample& b) { return a.luminance > b.luminance; });
  double r = 0, g = 0, b = 0;
  for (auto sample = samples.begin(); sample != half; ++sample) {
    r += linear(sample->red);
    g += linear(sample->green);
    b += linear(sample->blue);
  }
  const double count = static_cast<double>(half - samples.begin());
  // Scaled to the lightness of a lit white: chroma shrinks with lightness, and a dim picture is not a white
  // one.
  const double luminance = (0.2126 * r + 0.7152 * g + 0.0722 * b) / count;
  if (luminance < 0.01) return undetermined();
  const double lit = 0.5 / luminance / count;
  const Lab lab = to_lab(r * lit, g * lit, b * lit, White::kD65);
  const double chroma = std::hypot(lab.a, lab.b);
  return mapped(chroma, 200 * (1 - sigmoid(chroma, 0, 20)));
}

}  // namespace visage::quality
