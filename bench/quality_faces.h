// Faces for the quality benchmark: pictures with the mesh that the pipeline's networks find in them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sidecar/capture/blendshapes.h"
#include "sidecar/capture/detector.h"
#include "sidecar/quality/assess.h"

namespace visage::bench {

struct Face {
  std::string name;
  cv::Mat picture;
  std::vector<capture::Detection> faces;
  capture::Mesh mesh;
  capture::Blendshapes shapes{};
};

class Finder {
 public:
  static std::unique_ptr<Finder> load(const std::string& models, std::string& error);
  // False when there is no face. Looks as the pipeline does.
  bool find(const cv::Mat& picture, Face& out) const;

 private:
  std::unique_ptr<capture::Detector> detector_;
  std::unique_ptr<capture::Mesher> mesher_;
  std::unique_ptr<capture::BlendshapeNetwork> blendshapes_;
};

std::vector<uint8_t> read_bytes(const std::string& path);
// Every JPEG below a folder, sorted; every `step`th of them.
std::vector<std::string> pictures_below(const std::string& folder, size_t step);
bool decode_picture(const std::vector<uint8_t>& bytes, cv::Mat& out);

}  // namespace visage::bench
