// IrisColour (ours, 7.4d): how far the irises' colour lies outside of what irises have, CIELAB (D65). Lenses
// of violet, bright green or bright blue show; those of natural colours, and whether a lens hides the iris's
// texture, do not: at 60 px between the eyes an iris is 11 px wide.
#include <opencv2/imgproc.hpp>

#include "sidecar/quality/colour.h"
#include "sidecar/quality/iris.h"
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading iris_colour(const View& view) {
  constexpr float kInner = 0.45f, kOuter = 0.85f;  // of the radius: without the pupil and the dark rim
  constexpr float kSmallest = 4;                   // px of the picture; smaller, and lids and white run in
  constexpr uint8_t kMirrored = 200;               // what shines in an eye is not its colour
  constexpr int kFewest = 120;                     // px of the frame, both eyes
  double sum[3] = {};
  int count = 0;
  for (const Iris& iris : irises(view)) {
    if (iris.radius < kSmallest * view.to_frame.scale()) return undetermined();
    cv::Mat ring = cv::Mat::zeros(view.area.size(), CV_8U);
    const cv::Point middle(cvRound(iris.middle.x), cvRound(iris.middle.y));
    cv::circle(ring, middle, cvRound(kOuter * iris.radius), 255, cv::FILLED);
    cv::circle(ring, middle, cvRound(kInner * iris.radius), 0, cv::FILLED);
    cv::bitwise_and(ring, view.mask_of(iris.lids, 0.9f), ring);
    cv::bitwise_and(ring, view.hull, ring);
    const cv::Rect box = cv::boundingRect(ring);
    for (int y = box.y; y < box.br().y; ++y)
      for (int x = box.x; x < box.br().x; ++x) {
        const cv::Vec3b pixel = view.face.at<cv::Vec3b>(y, x);
        if (ring.at<uint8_t>(y, x) == 0 || std::min({pixel[0], pixel[1], pixel[2]}) > kMirrored) continue;
        for (int c = 0; c < 3; ++c) sum[c] += linear(pixel[c]);
        ++count;
      }
  }
  if (count < kFewest) return undetermined();
  const Lab lab = to_lab(sum[2] / count, sum[1] / count, sum[0] / count, White::kD65);
  // From brown to amber much yellow and red; blue and grey have neither; green ones little green.
  constexpr double kGreen = -12, kRed = 22, kLeastRed = 6, kBlue = -16, kYellow = 38;
  const double red = std::clamp(kRed + lab.b, kLeastRed, kRed);  // blue and red together are violet
  const double excess = std::hypot(std::max({0.0, kGreen - lab.a, lab.a - red}),
                                   std::max({0.0, kBlue - lab.b, lab.b - kYellow}));
  return mapped(excess, 200 * (1 - sigmoid(excess, 0, 10)));
}

}  // namespace visage::quality
