// A depth map and a mesh to the points that the shape is judged by.
#pragma once

#include "sidecar/capture/mesh.h"
#include "sidecar/liveness/relief.h"
#include "sidecar/quality/depth.h"

namespace visage::liveness {

// `picture` is the size of the colour image that the mesh belongs to; the depth map is aligned with it.
DepthFace depth_face(const quality::DepthFrame& depth, cv::Size picture, const capture::Mesh& mesh);

}  // namespace visage::liveness
