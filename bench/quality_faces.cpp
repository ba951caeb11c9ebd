#include "quality_faces.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "sidecar/capture/decode.h"
#include "sidecar/capture/runtime.h"
#include "sidecar/capture/wiping.h"

namespace visage::bench {

std::unique_ptr<Finder> Finder::load(const std::string& models, std::string& error) {
  using namespace capture;
  prepare_opencv();
  const std::shared_ptr<const Runtime> runtime =
      Runtime::open(models + "/runtime/lib/libonnxruntime.so.1", error);
  if (runtime == nullptr) return nullptr;
  auto finder = std::make_unique<Finder>();
  const auto load_part = [&]<typename Part>(const char* file, std::unique_ptr<Part>& part) {
    if (auto session = Session::load(runtime, read_bytes(models + "/" + file), file, 1, error))
      part = Part::create(std::move(session), error);
    return part != nullptr;
  };
  if (!load_part("blazeface_back.onnx", finder->detector_) ||
      !load_part("face_landmarks_detector.onnx", finder->mesher_) ||
      !load_part("face_blendshapes.onnx", finder->blendshapes_))
    return nullptr;
  return finder;
}

bool Finder::find(const cv::Mat& picture, Face& out) const {
  using namespace capture;
  out.picture = picture;
  std::vector<Detection> found;
  if (!detector_->find(picture, found).ok()) return false;
  sort_by_prominence(found, picture.size());
  if (found.size() > 8) found.resize(8);
  out.faces.clear();
  for (const Detection& face : found) {
    Mesh fitted;
    if (!mesher_->fit(picture, mesh_crop(face), fitted).ok() || fitted.presence < 0.5f) continue;
    if (out.faces.empty()) out.mesh = fitted;
    out.faces.push_back(face);
  }
  return !out.faces.empty() && mesher_->fit(picture, mesh_crop(out.mesh), out.mesh).ok() &&
         blendshapes_->read(out.mesh, out.shapes).ok();
}

std::vector<uint8_t> read_bytes(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::string> pictures_below(const std::string& folder, size_t step) {
  std::vector<std::string> all, some;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error))
    if (entry.path().extension() == ".jpg") all.push_back(entry.path());
  std::sort(all.begin(), all.end());
  for (size_t i = 0; i < all.size(); i += step) some.push_back(all[i]);
  return some;
}

bool decode_picture(const std::vector<uint8_t>& bytes, cv::Mat& out) {
  return !capture::decode(bytes, {}, out);
}

}  // namespace visage::bench
