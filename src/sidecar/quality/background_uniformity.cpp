// BackgroundUniformity (0x42); the background is what lies outside the head's outline, where OFIQ asks a
// parsing network. Hair and shoulders at the sides count as background.
#include <opencv2/imgproc.hpp>

#include "sidecar/quality/colour.h"
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading background_uniformity(const View& view) {
  // The frame without 62 px at the sides and 108 px at the bottom, shrunk to 354 × 295.
  constexpr int kWidth = 354, kHeight = 295, kSides = 62, kBottom = 108;
  const float sx = static_cast<float>(kWidth) / (kFrame - 2 * kSides);
  const float sy = static_cast<float>(kHeight) / (kFrame - kBottom);
  capture::Similarity small = view.to_frame;  // sx and sy differ by 1 %: the mean of both
  const float scale = (sx + sy) / 2;
  small = {small.a * scale, small.b * scale, (small.tx - kSides) * scale, small.ty * scale};
  cv::Mat bgr, luminance;
  capture::warp(view.scene.picture, small, {kWidth, kHeight}, bgr);
  to_luminance(bgr, luminance);

  cv::Mat background(kHeight, kWidth, CV_8U, cv::Scalar(0));
  std::vector<cv::Point> edges, head;
  const float right = static_cast<float>(view.scene.picture.cols - 1);
  const float bottom = static_cast<float>(view.scene.picture.rows - 1);
  const auto rounded = [](capture::Point p) { return cv::Point(cvRound(p.x), cvRound(p.y)); };
  for (const capture::Point corner : {capture::Point(0, 0), capture::Point(right, 0),
                                      capture::Point(right, bottom), capture::Point(0, bottom)})
    edges.push_back(rounded(small(corner)));
  cv::fillConvexPoly(background, edges, 255);
  // The mesh's outline with room for hair: 1.6 × around its middle, and everything below it.
  constexpr uint16_t kForehead[] = {10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288,
                                    58, 132, 93,  234, 127, 162, 21,  54,  103, 67,  109};
  capture::Point middle(0, 0);
  for (const uint16_t index : kForehead)
    middle += small(view.scene.mesh.points[index]) / static_cast<float>(std::size(kForehead));
  for (const uint16_t index : kForehead)
    head.push_back(rounded(middle + 1.6f * (small(view.scene.mesh.points[index]) - middle)));
  std::vector<cv::Point> hull;
  cv::convexHull(head, hull);
  cv::fillConvexPoly(background, hull, 0);
  const cv::Rect box = cv::boundingRect(hull);
  background(cv::Rect(0, std::clamp(box.y + box.height, 0, kHeight - 1), kWidth,
                      kHeight - std::clamp(box.y + box.height, 0, kHeight - 1)))
      .setTo(0);
  cv::erode(background, background, cv::Mat::ones(4, 4, CV_8U), cv::Point(-1, -1), 1, cv::BORDER_CONSTANT, 0);
  constexpr int kFewest = 2000;  // px
  if (cv::countNonZero(background) < kFewest) return undetermined();

  cv::Mat dx, dy, magnitude;
  cv::Scharr(luminance, dx, CV_32F, 1, 0);
  cv::Scharr(luminance, dy, CV_32F, 0, 1);
  cv::magnitude(dx, dy, magnitude);
  const double gradient = cv::mean(magnitude, background)[0];
  return mapped(gradient, 190 * (1 - sigmoid(gradient, 10, 100)));
}

}  // namespace visage::quality
