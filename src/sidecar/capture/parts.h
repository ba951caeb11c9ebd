// What a Pipeline is made of; seen by pipeline.cpp and loader.cpp only.
#pragma once

#include "sidecar/capture/detector.h"
#include "sidecar/capture/feature.h"
#include "sidecar/capture/liveness.h"
#include "sidecar/capture/mesh.h"
#include "sidecar/capture/pipeline.h"

namespace visage::capture {

struct Pipeline::Parts {
  Limits limits;
  std::string model_id;
  std::unique_ptr<Detector> detector;
  std::unique_ptr<Mesher> mesher;
  std::unique_ptr<Recogniser> recogniser;
  std::unique_ptr<Liveness> liveness;

  // Leaves in `faces` those that the mesh confirms, most prominent first, and fits the first one's mesh
  // twice.
  Status locate(const cv::Mat& picture, std::vector<Detection>& faces, Mesh& mesh) const;
  std::optional<Failure> run(Bytes image, const Options& options, Capture& out) const;
};

}  // namespace visage::capture
