#include "sidecar/capture/pipeline.h"

#include <chrono>

#include "core/crypto/engine.h"
#include "sidecar/capture/decode.h"
#include "sidecar/capture/measures.h"
#include "sidecar/capture/parts.h"

namespace visage::capture {
namespace {

// Runs one stage and notes its time.
class Stopwatch {
 public:
  explicit Stopwatch(double& milliseconds) : milliseconds_(milliseconds) {}
  ~Stopwatch() {
    milliseconds_ =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  double& milliseconds_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

Failure broken(const Status& status) {
  return {FailureCode::kFeatureFailed, status.message};
}

}  // namespace

Pipeline::Pipeline(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Pipeline::~Pipeline() = default;
const std::string& Pipeline::model_id() const {
  return parts_->model_id;
}

std::optional<Failure> Pipeline::process(Bytes image, const Options& options, Capture& out) const {
  try {
    return parts_->run(image, options, out);
  } catch (const std::exception&) {  // memory; OpenCV on something unforeseen
    return Failure{FailureCode::kFeatureFailed, "out of memory or an unforeseen picture"};
  }
}

std::optional<Failure> Pipeline::Parts::run(Bytes image, const Options& options, Capture& out) const {
  cv::Mat picture;
  {
    const Stopwatch watch(out.timings.decode);
    if (std::optional<Failure> failure = decode(image, limits, picture)) return failure;
  }
  out.image_width = picture.cols;
  out.image_height = picture.rows;

  std::vector<Detection> faces;
  {
    const Stopwatch watch(out.timings.detect);
    if (const Status status = detector->find(picture, faces); !status.ok()) return broken(status);
  }
  out.faces_found = static_cast<int>(faces.size());
  if (faces.empty()) return Failure{FailureCode::kNoFace, ""};
  const size_t main = main_face(faces, picture.size());
  const Detection& face = faces[main];
  out.main_face = {face.box.x, face.box.y, face.box.width, face.box.height};
  if (options.require_single_face && faces.size() > 1)
    return Failure{FailureCode::kSeveralFaces, std::to_string(faces.size()) + " faces"};

  Mesh mesh;
  {
    const Stopwatch watch(out.timings.mesh);
    if (const Status status = mesher->fit(picture, mesh_crop(face), mesh); !status.ok())
      return broken(status);
  }
  cv::Mat aligned;
  {
    const Stopwatch watch(out.timings.align);
    warp(picture, align(five_points(mesh)), {kAlignedSide, kAlignedSide}, aligned);
  }
  {
    const Stopwatch watch(out.timings.feature);
    if (const Status status = recogniser->extract(aligned, out.contents); !status.ok()) return broken(status);
  }
  {
    const Stopwatch watch(out.timings.liveness);
    float live = 0;
    if (const Status status = liveness->judge(picture, face.box, live); !status.ok()) return broken(status);
    out.contents.liveness[0] = {probe::LivenessMethod::kPassive, live};
    out.contents.liveness_count = 1;
  }
  measure(picture.size(), faces, main, &mesh, out.contents);
  crypto::sha256(image, out.contents.image_digest);
  if (const Status status = probe::set_model(model_id, out.contents); !status.ok()) return broken(status);
  return std::nullopt;
}

}  // namespace visage::capture
