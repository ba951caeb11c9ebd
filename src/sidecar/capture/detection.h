// BlazeFace's output, apart from the network: anchors, decoding, suppression, and the choice of the main
// face.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "sidecar/capture/geometry.h"

namespace visage::capture {

// The detector's own six points, in its order ("left" is the image's left).
enum FacePoint { kLeftEye, kRightEye, kNose, kMouth, kLeftEar, kRightEar, kFacePoints };

struct Detection {
  float score = 0;  // 0…1
  Box box;
  std::array<Point, kFacePoints> points;
};

// Centres of the anchors' cells in units of the input's side: two an 1/16 cell, then six an 1/8 cell, row by
// row. Every anchor has the side of the input, so that sizes are plain.
inline constexpr size_t kAnchors = 16 * 16 * 2 + 8 * 8 * 6;  // 896
std::array<Point, kAnchors> make_anchors();

inline constexpr size_t kBoxValues = 16;  // centre x, y, width, height, then six points: pixels from the cell

// One anchor's row to a detection in pixels of the network's input.
Detection decode_anchor(Point anchor, float side, float logit, std::span<const float, kBoxValues> values);

// Weighted suppression: a cluster is everything that overlaps its best candidate by more than `same`; it
// becomes the score-weighted mean of those members that overlap it by more than `close`, which is steadier
// than the best one alone. Members between the two limits are dropped but not averaged: with two heads side
// by side they belong to the other head, and the mean would lie between the two. Best first.
std::vector<Detection> suppress(std::vector<Detection> candidates, float same, float close);

// The faces from the most to the least prominent; the first is the main face. Prominence = area × centrality
// × score; centrality falls linearly with the distance of the face's middle from the image's middle, from 1
// to `kEdgeWeight` in a corner. People who take a picture of themselves are large and central; bystanders,
// posters and false alarms are not.
inline constexpr float kEdgeWeight = 0.25f;
void sort_by_prominence(std::vector<Detection>& faces, cv::Size image);

// SingleFacePresent of ISO/IEC 29794-5, native: area of the largest other face over the main face's; 0 when
// alone.
// `faces` is sorted by prominence and not empty.
float second_face_ratio(std::span<const Detection> faces);

}  // namespace visage::capture
