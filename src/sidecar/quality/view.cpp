#include "sidecar/quality/view.h"

#include <opencv2/imgproc.hpp>

#include "sidecar/quality/colour.h"

namespace visage::quality {
namespace {

using capture::Point;

const capture::FivePoints kFramePoints = {{251, 272}, {364, 272}, {308, 336}, {262, 402}, {355, 402}};

constexpr uint16_t kLeftEye[] = {33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7};
constexpr uint16_t kRightEye[] = {362, 398, 384, 385, 386, 387, 388, 466,
                                  263, 249, 390, 373, 374, 380, 381, 382};
constexpr uint16_t kOuterLips[] = {61,  185, 40,  39,  37,  0,  267, 269, 270, 409,
                                   291, 375, 321, 405, 314, 17, 84,  181, 91,  146};
constexpr uint16_t kOutline[] = {70,  63,  105, 66,  107, 336, 296, 334, 293, 300, 356,
                                 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
                                 148, 176, 149, 150, 136, 172, 58,  132, 93,  234, 127};

// Room around the hull for what lies at its edge: eye zones, half-size pictures.
constexpr int kMargin = 16;

std::vector<cv::Point> rounded(const std::vector<Point>& points) {
  std::vector<cv::Point> out;
  for (const Point& p : points) out.emplace_back(cvRound(p.x), cvRound(p.y));
  return out;
}

}  // namespace

std::span<const uint16_t> left_eye_contour() {
  return kLeftEye;
}
std::span<const uint16_t> right_eye_contour() {
  return kRightEye;
}
std::span<const uint16_t> outer_lips() {
  return kOuterLips;
}
std::span<const uint16_t> face_outline() {
  return kOutline;
}

View::View(const Scene& given) : scene(given) {
  const capture::FivePoints five = capture::five_points(scene.mesh);
  pose = estimate_pose(scene.mesh);
  eye_left = five.left_eye;
  eye_right = five.right_eye;
  eye_distance = capture::distance(eye_left, eye_right);
  eyes_to_chin = capture::eyes_to_chin(scene.mesh);
  to_frame = capture::fit_similarity(five.list(), kFramePoints.list());
  for (size_t i = 0; i < points.size(); ++i) points[i] = to_frame(scene.mesh.points[i]);
  frame_eye_distance = eye_distance * to_frame.scale();

  std::vector<Point> outline;
  for (const uint16_t index : kOutline) outline.push_back(points[index]);
  std::vector<Point> convex;
  cv::convexHull(outline, convex);
  area = cv::boundingRect(rounded(convex));
  area = (area - cv::Point(kMargin, kMargin) + cv::Size(2 * kMargin, 2 * kMargin)) &
         cv::Rect(0, 0, kFrame, kFrame);
  area.width -= area.width % 2;
  area.height -= area.height % 2;
  if (area.width < 8 || area.height < 8) {  // a face that the alignment cannot lay into the frame
    area = {0, 0, 8, 8};
    convex.clear();
  }
  capture::Similarity to_area = to_frame;
  to_area.tx -= static_cast<float>(area.x);
  to_area.ty -= static_cast<float>(area.y);
  capture::warp(scene.picture, to_area, area.size(), face);
  cv::cvtColor(face, grey, cv::COLOR_BGR2GRAY);
  to_luminance(face, luminance);

  const Point shift(static_cast<float>(area.x), static_cast<float>(area.y));
  hull = cv::Mat::zeros(area.size(), CV_8U);
  for (Point& p : convex) p -= shift;
  if (!convex.empty()) cv::fillConvexPoly(hull, rounded(convex), 255);
  // Where the face reaches past the picture there is nothing to be measured.
  const float right = static_cast<float>(scene.picture.cols - 1),
              bottom = static_cast<float>(scene.picture.rows - 1);
  std::vector<Point> edges;
  for (const Point corner : {Point(0, 0), Point(right, 0), Point(right, bottom), Point(0, bottom)})
    edges.push_back(to_area(corner));
  cv::Mat inside = cv::Mat::zeros(area.size(), CV_8U);
  cv::fillConvexPoly(inside, rounded(edges), 255);
  cv::bitwise_and(hull, inside, hull);
  for (int y = 0; y < hull.rows; ++y) {
    const uint8_t *in = hull.ptr(y), *light = luminance.ptr(y), *level = grey.ptr(y);
    for (int x = 0; x < hull.cols; ++x)
      if (in[x] != 0) {
        ++hull_pixels;
        ++luminance_histogram[light[x]];
        ++grey_histogram[level[x]];
      }
  }

  cv::Mat half;
  cv::resize(face, half, area.size() / 2, 0, 0, cv::INTER_AREA);
  cv::cvtColor(half, lab, cv::COLOR_BGR2Lab);
  const auto squares = cheeks();
  if (!squares[0].empty() && !squares[1].empty()) {
    cv::Vec3d sum;
    for (const cv::Rect& square : squares) {
      const cv::Rect small(square.x / 2, square.y / 2, std::max(1, square.width / 2),
                           std::max(1, square.height / 2));
      const cv::Scalar mean = cv::mean(lab(small));
      sum += cv::Vec3d(mean[0], mean[1], mean[2]) / 2;
    }
    skin = {true, static_cast<float>(sum[0]), static_cast<float>(sum[1]), static_cast<float>(sum[2])};
  }
}

cv::Rect View::face_box() const {
  std::vector<Point> outline;
  for (const uint16_t index : kOutline) outline.push_back(scene.mesh.points[index]);
  return cv::Rect(cv::boundingRect(outline)) & cv::Rect({}, scene.picture.size());
}

cv::Mat View::mask_of(std::span<const uint16_t> polygon, float grow) const {
  const Point shift(static_cast<float>(area.x), static_cast<float>(area.y));
  Point middle(0, 0);
  for (const uint16_t index : polygon) middle += points[index] / static_cast<float>(polygon.size());
  std::vector<Point> outline;
  for (const uint16_t index : polygon) outline.push_back(middle + (points[index] - middle) * grow - shift);
  cv::Mat mask = cv::Mat::zeros(area.size(), CV_8U);
  cv::fillPoly(mask, std::vector<std::vector<cv::Point>>{rounded(outline)}, 255);
  return mask;
}

std::array<cv::Rect, 2> View::cheeks() const {
  const capture::FivePoints five = {to_frame(eye_left), to_frame(eye_right), {}, points[61], points[291]};
  const float eyes = (five.left_eye.y + five.right_eye.y) / 2,
              mouth = (five.left_mouth.y + five.right_mouth.y) / 2;
  const int side = cvRound(0.3f * frame_eye_distance);
  const float y = eyes + (mouth - eyes) / 2;
  std::array<cv::Rect, 2> squares;
  const Point eyes_at[] = {five.left_eye, five.right_eye};
  for (size_t i = 0; i < 2; ++i) {
    const cv::Rect square(cvRound(eyes_at[i].x) - side / 2 - area.x, cvRound(y) - side / 2 - area.y, side,
                          side);
    if (side < 2 || (square & cv::Rect({}, area.size())) != square) return {};
    const cv::Point corners[] = {square.tl(),
                                 square.br() - cv::Point(1, 1),
                                 {square.x, square.br().y - 1},
                                 {square.br().x - 1, square.y}};
    for (const cv::Point& corner : corners)
      if (hull.at<uint8_t>(corner) == 0) return {};
    squares[i] = square;
  }
  return squares;
}

std::array<cv::Rect, 2> View::eye_zones() const {
  std::array<cv::Rect, 2> zones;
  const std::span<const uint16_t> contours[] = {left_eye_contour(), right_eye_contour()};
  const int grow = static_cast<int>(frame_eye_distance / 20);
  for (size_t i = 0; i < 2; ++i) {
    std::vector<Point> lids;
    for (const uint16_t index : contours[i]) lids.push_back(points[index]);
    cv::Rect zone = cv::boundingRect(rounded(lids));
    zone += cv::Size(2 * grow, 2 * grow);
    zone -= cv::Point(grow + area.x, grow + area.y);
    zones[i] = zone & cv::Rect({}, area.size());
  }
  return zones;
}

}  // namespace visage::quality
