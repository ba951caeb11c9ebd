// Places of the face in the depth map, which is aligned with the picture but may be of another size.
#pragma once

#include <opencv2/core.hpp>

#include "sidecar/quality/view.h"

namespace visage::quality {

// A point of the picture in the depth map.
capture::Point to_depth(const View& view, capture::Point point);

// The face's outline, forehead included, as a mask of the depth map's size. Empty without a map.
cv::Mat depth_face(const View& view);

// Around eyes, nose and mouth, likewise.
cv::Mat depth_features(const View& view);

// Median of the measured depths of a disc around a mesh point, mm; 0 when half of it is missing.
float depth_at(const View& view, size_t mesh_point, float radius_in_eye_distances);

}  // namespace visage::quality
