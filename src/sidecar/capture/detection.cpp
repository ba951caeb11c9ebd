#include "sidecar/capture/detection.h"

#include <algorithm>
#include <cmath>

namespace visage::capture {

std::array<Point, kAnchors> make_anchors() {
  std::array<Point, kAnchors> anchors;
  size_t next = 0;
  for (const auto& [cells, per_cell] : {std::pair{16, 2}, std::pair{8, 6}})
    for (int y = 0; y < cells; ++y)
      for (int x = 0; x < cells; ++x)
        for (int i = 0; i < per_cell; ++i)
          anchors[next++] = {(static_cast<float>(x) + 0.5f) / static_cast<float>(cells),
                             (static_cast<float>(y) + 0.5f) / static_cast<float>(cells)};
  return anchors;
}

Detection decode_anchor(Point anchor, float side, float logit, std::span<const float, kBoxValues> values) {
  const Point origin = anchor * side;
  const auto point = [&](size_t i) { return Point(values[i] + origin.x, values[i + 1] + origin.y); };
  Detection detection;
  detection.score = 1 / (1 + std::exp(-std::clamp(logit, -100.0f, 100.0f)));
  const Point middle = point(0);
  detection.box = {middle.x - values[2] / 2, middle.y - values[3] / 2, values[2], values[3]};
  for (size_t i = 0; i < kFacePoints; ++i) detection.points[i] = point(4 + 2 * i);
  return detection;
}

std::vector<Detection> suppress(std::vector<Detection> candidates, float same, float close) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  std::vector<Detection> kept;
  while (!candidates.empty()) {
    const Detection best = candidates.front();
    Detection mean;
    float weight = 0;
    std::vector<Detection> rest;
    for (const Detection& other : candidates) {
      const float common = &other == &candidates.front() ? 1 : overlap(best.box, other.box);
      if (common <= same) rest.push_back(other);
      if (common <= close) continue;
      weight += other.score;
      mean.box.x += other.score * other.box.x;
      mean.box.y += other.score * other.box.y;
      mean.box.width += other.score * other.box.width;
      mean.box.height += other.score * other.box.height;
      for (size_t p = 0; p < kFacePoints; ++p) mean.points[p] += other.score * other.points[p];
    }
    mean.score = best.score;
    mean.box = {mean.box.x / weight, mean.box.y / weight, mean.box.width / weight, mean.box.height / weight};
    for (Point& point : mean.points) point /= weight;
    kept.push_back(mean);
    candidates = std::move(rest);
  }
  return kept;
}

void sort_by_prominence(std::vector<Detection>& faces, cv::Size image) {
  const Point middle(static_cast<float>(image.width) / 2, static_cast<float>(image.height) / 2);
  const float corner = std::max(distance({0, 0}, middle), 1.0f);
  const auto prominence = [&](const Detection& face) {
    const float off = std::min(distance(center(face.box), middle) / corner, 1.0f);
    return face.score * face.box.area() * (1 - (1 - kEdgeWeight) * off);
  };
  std::stable_sort(faces.begin(), faces.end(),
                   [&](const Detection& a, const Detection& b) { return prominence(a) > prominence(b); });
}

float second_face_ratio(std::span<const Detection> faces) {
  float largest = 0;
  for (const Detection& face : faces.subspan(1)) largest = std::max(largest, face.box.area());
  return largest / std::max(faces.front().box.area(), 1e-6f);
}

}  // namespace visage::capture
