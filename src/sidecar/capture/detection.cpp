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

std::vector<Detection> suppress(std::vector<Detection> candidates, float limit) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  std::vector<Detection> kept;
  while (!candidates.empty()) {
    const Detection best = candidates.front();
    Detection mean;
    mean.score = best.score;
    mean.points.fill({0, 0});
    float weight = 0;
    const auto joins = [&](const Detection& other) { return overlap(best.box, other.box) > limit; };
    std::vector<Detection> rest;
    for (size_t i = 0; i < candidates.size(); ++i) {
      const Detection& other = candidates[i];
      if (i != 0 && !joins(other)) {
        rest.push_back(other);
        continue;
      }
      const float w = other.score;
      weight += w;
      mean.box.x += w * other.box.x;
      mean.box.y += w * other.box.y;
      mean.box.width += w * other.box.width;
      mean.box.height += w * other.box.height;
      for (size_t p = 0; p < kFacePoints; ++p) mean.points[p] += w * other.points[p];
    }
    mean.box = {mean.box.x / weight, mean.box.y / weight, mean.box.width / weight, mean.box.height / weight};
    for (Point& point : mean.points) point /= weight;
    kept.push_back(mean);
    candidates = std::move(rest);
  }
  return kept;
}

size_t main_face(std::span<const Detection> faces, cv::Size image) {
  const Point middle(static_cast<float>(image.width) / 2, static_cast<float>(image.height) / 2);
  const float corner = std::max(distance({0, 0}, middle), 1.0f);
  const auto weight = [&](const Detection& face) {
    const float off = std::min(distance(center(face.box), middle) / corner, 1.0f);
    return face.box.area() * (1 - (1 - kEdgeWeight) * off);
  };
  size_t best = 0;
  for (size_t i = 1; i < faces.size(); ++i)
    if (weight(faces[i]) > weight(faces[best])) best = i;
  return best;
}

float second_face_ratio(std::span<const Detection> faces, size_t main) {
  float largest = 0;
  for (size_t i = 0; i < faces.size(); ++i)
    if (i != main) largest = std::max(largest, faces[i].box.area());
  const float area = faces[main].box.area();
  return area > 0 ? largest / area : 0;
}

}  // namespace visage::capture
