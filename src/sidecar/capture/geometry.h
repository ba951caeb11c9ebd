// Points, boxes and similarity transforms in pixels; x to the right, y down, (0, 0) the centre of the first
// pixel.
#pragma once

#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <span>

namespace visage::capture {

using Point = cv::Point2f;
using Box = cv::Rect2f;

// In the order of the alignment templates. "Left" is the image's left, the person's right.
struct FivePoints {
  Point left_eye, right_eye, nose, left_mouth, right_mouth;

  std::array<Point, 5> list() const { return {left_eye, right_eye, nose, left_mouth, right_mouth}; }
};

inline Point center(const Box& box) {
  return {box.x + box.width / 2, box.y + box.height / 2};
}
inline float distance(Point a, Point b) {
  return std::hypot(a.x - b.x, a.y - b.y);
}

// Intersection over union; 0 for empty boxes.
float overlap(const Box& a, const Box& b);

// Rotation, uniform scale and shift, no reflection: p → (a·x − b·y + tx, b·x + a·y + ty).
struct Similarity {
  float a = 1, b = 0, tx = 0, ty = 0;

  Point operator()(Point p) const { return {a * p.x - b * p.y + tx, b * p.x + a * p.y + ty}; }
  float scale() const { return std::hypot(a, b); }
  Similarity inverse() const;
  // Maps the square of `side` px around `middle`, turned by `angle` radians (clockwise on screen), onto a
  // square of `out` px.
  static Similarity square(Point middle, float side, float angle, float out);
};

// The least-squares similarity that takes `from` to `to` (Umeyama 1991, in the plane, without reflection).
// Identity when all of `from` is one point.
Similarity fit_similarity(std::span<const Point> from, std::span<const Point> to);

// The image seen through `transform`: out(transform(p)) = image(p), bilinear, black outside. When the
// transform shrinks, the image is averaged down first, because bilinear sampling alone would alias.
void warp(const cv::Mat& image, const Similarity& transform, cv::Size size, cv::Mat& out,
          int border = cv::BORDER_CONSTANT);

}  // namespace visage::capture
