// What the measures look at: the picture, what the pipeline found in it, and the face aligned as
// ISO/IEC 29794-5 and OFIQ align it (616 × 616 on five points), all prepared once.
#pragma once

#include <array>
#include <opencv2/core.hpp>
#include <span>
#include <vector>

#include "core/base/bytes.h"
#include "sidecar/capture/blendshapes.h"
#include "sidecar/capture/detection.h"
#include "sidecar/capture/mesh.h"
#include "sidecar/quality/depth.h"
#include "sidecar/quality/pose.h"

namespace visage::quality {

inline constexpr int kFrame = 616;  // side of the aligned frame, px

// What is handed in; everything outlives the view.
struct Scene {
  const cv::Mat& picture;                     // upright, 8-bit BGR
  Bytes file;                                 // as uploaded; may be empty
  std::span<const capture::Detection> faces;  // most prominent first, not empty
  const capture::Mesh& mesh;                  // of the first of them
  const capture::Blendshapes* shapes = nullptr;
  const DepthFrame* depth = nullptr;
};

// Mean and spread of the skin of both cheeks, CIELAB of 8-bit OpenCV (each 0…255).
struct Skin {
  bool known = false;
  float lightness = 0, a = 0, b = 0;
};

struct View {
  explicit View(const Scene& scene);

  const Scene scene;
  Pose pose;
  capture::Point eye_left, eye_right;  // centres in the picture, px; left of the picture
  float eye_distance = 0;              // IED, px of the picture, not corrected for pose
  float eyes_to_chin = 0;              // T, px of the picture

  capture::Similarity to_frame;                             // picture → frame
  std::array<capture::Point, capture::kMeshPoints> points;  // in the frame
  float frame_eye_distance = 0;
  cv::Rect area;      // part of the frame that the following pictures show
  cv::Mat face;       // 8-bit BGR
  cv::Mat grey;       // 8-bit, as encoded
  cv::Mat luminance;  // 8-bit, linear light: 0.2126 R + 0.7152 G + 0.0722 B
  cv::Mat hull;       // 255 inside the face (brows to chin) where the picture reaches
  int hull_pixels = 0;
  std::array<int, 256> luminance_histogram{}, grey_histogram{};  // in the hull
  cv::Mat lab;                                                   // half of the resolution of `face`
  Skin skin;

  // Bounding box of the face, brows to chin, as far as it is in the picture; in pixels of the picture.
  cv::Rect face_box() const;
  // A polygon of mesh points as a mask of `face`'s size; `grow` enlarges it around its middle.
  cv::Mat mask_of(std::span<const uint16_t> polygon, float grow = 1) const;
  // Squares on the cheeks (OFIQ's IlluminationUniformity and NaturalColour), in pixels of `face`; empty when
  // one of them leaves the picture.
  std::array<cv::Rect, 2> cheeks() const;
  // Bounding box of an eye's lids, grown by ⌊IED/20⌋ on every side, in pixels of `face`.
  std::array<cv::Rect, 2> eye_zones() const;
};

// Polygons of the mesh, clockwise in the picture.
std::span<const uint16_t> left_eye_contour();  // left in the picture
std::span<const uint16_t> right_eye_contour();
std::span<const uint16_t> outer_lips();
std::span<const uint16_t> face_outline();  // brows to chin, as the 98 landmarks of OFIQ reach

}  // namespace visage::quality
