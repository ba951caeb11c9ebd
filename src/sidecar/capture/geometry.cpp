#include "sidecar/capture/geometry.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

namespace visage::capture {

float overlap(const Box& a, const Box& b) {
  const float common = (a & b).area();
  const float all = a.area() + b.area() - common;
  return all > 0 ? common / all : 0;
}

Similarity Similarity::inverse() const {
  const float square = a * a + b * b;
  const float ia = a / square, ib = -b / square;
  return {ia, ib, -(ia * tx - ib * ty), -(ib * tx + ia * ty)};
}

Similarity Similarity::square(Point middle, float side, float angle, float out) {
  const float scale = out / side;
  const float a = scale * std::cos(angle), b = -scale * std::sin(angle);
  // Pixel centres: the square's middle goes to (out − 1)/2.
  const float half = (out - 1) / 2;
  return {a, b, half - (a * middle.x - b * middle.y), half - (b * middle.x + a * middle.y)};
}

Similarity fit_similarity(std::span<const Point> from, std::span<const Point> to) {
  const float count = static_cast<float>(from.size());
  Point from_mean(0, 0), to_mean(0, 0);
  for (size_t i = 0; i < from.size(); ++i) {
    from_mean += from[i] / count;
    to_mean += to[i] / count;
  }
  // As complex numbers: (a + bi) = Σ conj(f)·t / Σ |f|².
  double dot = 0, cross = 0, square = 0;
  for (size_t i = 0; i < from.size(); ++i) {
    const Point f = from[i] - from_mean, t = to[i] - to_mean;
    dot += static_cast<double>(f.x) * t.x + static_cast<double>(f.y) * t.y;
    cross += static_cast<double>(f.x) * t.y - static_cast<double>(f.y) * t.x;
    square += static_cast<double>(f.x) * f.x + static_cast<double>(f.y) * f.y;
  }
  if (square <= 0) return {};
  const float a = static_cast<float>(dot / square), b = static_cast<float>(cross / square);
  return {a, b, to_mean.x - (a * from_mean.x - b * from_mean.y),
          to_mean.y - (b * from_mean.x + a * from_mean.y)};
}

void warp(const cv::Mat& image, const Similarity& transform, cv::Size size, cv::Mat& out, int border) {
  const auto sample = [&](const cv::Mat& source, const Similarity& t) {
    const cv::Matx23f matrix(t.a, -t.b, t.tx, t.b, t.a, t.ty);
    cv::warpAffine(source, out, matrix, size, cv::INTER_LINEAR, border);
  };
  const int shrink = static_cast<int>(std::floor(1 / std::max(transform.scale(), 1e-6f)));
  if (shrink < 2) return sample(image, transform);
  // Only the part that is seen, in whole steps of `shrink` px.
  const Similarity back = transform.inverse();
  const float w = static_cast<float>(size.width), h = static_cast<float>(size.height);
  const std::array<Point, 4> corners = {back({0, 0}), back({w, 0}), back({0, h}), back({w, h})};
  const auto [left, right] = std::minmax({corners[0].x, corners[1].x, corners[2].x, corners[3].x});
  const auto [top, bottom] = std::minmax({corners[0].y, corners[1].y, corners[2].y, corners[3].y});
  const int margin = 2 * shrink;
  cv::Rect seen(cv::Point(cvFloor(left) - margin, cvFloor(top) - margin),
                cv::Point(cvCeil(right) + margin, cvCeil(bottom) + margin));
  seen &= cv::Rect(0, 0, image.cols, image.rows);
  seen.width -= seen.width % shrink;
  seen.height -= seen.height % shrink;
  if (seen.empty()) return sample(image, transform);
  cv::Mat small;
  cv::resize(image(seen), small, {seen.width / shrink, seen.height / shrink}, 0, 0, cv::INTER_AREA);
  // p = shrink·q + (shrink − 1)/2 + seen.tl
  const float s = static_cast<float>(shrink), shift = (s - 1) / 2;
  const Point origin(static_cast<float>(seen.x) + shift, static_cast<float>(seen.y) + shift);
  const Point moved = transform(origin);
  sample(small, {transform.a * s, transform.b * s, moved.x, moved.y});
}

}  // namespace visage::capture
