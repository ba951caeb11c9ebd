#include "sidecar/capture/pipeline.h"

#include "core/crypto/engine.h"
#include "sidecar/capture/decode.h"
#include "sidecar/capture/parts.h"
#include "sidecar/capture/session.h"
#include "sidecar/capture/stopwatch.h"

namespace visage::capture {
namespace {

// More candidates than this are a crowd; only the most prominent ones are looked at.
constexpr size_t kMostCandidates = 8;
// Below, the mesh says that its crop holds no face: a false alarm of the detector, or a full profile, of
// which no feature can be compared.
constexpr float kPresenceFloor = 0.5f;

}  // namespace

Failure broken(const Status& status) {
  return {FailureCode::kFeatureFailed, status.message};
}

Pipeline::Pipeline(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Pipeline::~Pipeline() = default;
const std::string& Pipeline::model_id() const {
  return parts_->model_id;
}

std::optional<Failure> Pipeline::process(Bytes image, const Options& options, Capture& out) const {
  Session::take_run_time();
  try {
    std::optional<Failure> failure = parts_->run(image, options, out);
    out.timings.networks = Session::take_run_time();
    return failure;
  } catch (const std::exception&) {  // memory; OpenCV on something unforeseen
    return Failure{FailureCode::kFeatureFailed, "out of memory or an unforeseen picture"};
  }
}

Status Pipeline::Parts::locate(const cv::Mat& picture, std::vector<Detection>& faces, Mesh& mesh) const {
  sort_by_prominence(faces, picture.size());
  if (faces.size() > kMostCandidates) faces.resize(kMostCandidates);
  std::vector<Detection> confirmed;
  for (const Detection& face : faces) {
    Mesh fitted;
    VISAGE_TRY(mesher->fit(picture, mesh_crop(face), fitted));
    if (fitted.presence < kPresenceFloor) continue;
    if (confirmed.empty()) mesh = fitted;
    confirmed.push_back(face);
  }
  faces = std::move(confirmed);
  if (faces.empty()) return {};
  // A second fit, in a crop around the first one's points: on half of LFW it takes FRR at FAR 1e-5 from 0.52
  // % to 0.48 %.
  return mesher->fit(picture, mesh_crop(mesh), mesh);
}

std::optional<Failure> Pipeline::Parts::look(Bytes image, Sight& out, Timings& timings) const {
  {
    const Stopwatch watch(timings.decode);
    if (std::optional<Failure> failure = decode(image, limits, out.picture)) return failure;
  }
  {
    const Stopwatch watch(timings.detect);
    if (const Status status = detector->find(out.picture, out.faces); !status.ok()) return broken(status);
  }
  {
    const Stopwatch watch(timings.mesh);
    if (const Status status = locate(out.picture, out.faces, out.mesh); !status.ok()) return broken(status);
  }
  if (out.faces.empty()) return Failure{FailureCode::kNoFace, ""};
  return std::nullopt;
}

std::optional<Failure> Pipeline::Parts::run(Bytes image, const Options& options, Capture& out) const {
  Sight sight;
  const std::optional<Failure> failure = look(image, sight, out.timings);
  out.image_width = sight.picture.cols;
  out.image_height = sight.picture.rows;
  out.faces_found = static_cast<int>(sight.faces.size());
  if (failure) return failure;
  const Box& box = sight.faces.front().box;
  out.main_face = region(box);
  if (options.require_single_face && second_face_ratio(sight.faces) >= options.bystander_ratio)
    return Failure{FailureCode::kSeveralFaces, std::to_string(sight.faces.size()) + " faces"};

  cv::Mat aligned;
  {
    const Stopwatch watch(out.timings.align);
    warp(sight.picture, align(five_points(sight.mesh)), {kAlignedSide, kAlignedSide}, aligned);
  }
  {
    const Stopwatch watch(out.timings.feature);
    if (const Status status = recogniser->extract(aligned, out.contents); !status.ok()) return broken(status);
  }
  {
    const Stopwatch watch(out.timings.liveness);
    float live = 0;
    if (const Status status = liveness->judge(sight.picture, box, live); !status.ok()) return broken(status);
    out.contents.liveness[0] = {probe::LivenessMethod::kPassive, live};
    out.contents.liveness_count = 1;
  }
  {
    const Stopwatch watch(out.timings.expression);
    if (const Status status = blendshapes->read(sight.mesh, sight.shapes); !status.ok())
      return broken(status);
  }
  {
    const Stopwatch watch(out.timings.quality);
    const quality::View view({sight.picture, image, sight.faces, sight.mesh, &sight.shapes});
    quality::Readings readings;
    quality::assess(view, readings);
    quality::keep(readings, out.contents);
  }
  crypto::sha256(image, out.contents.image_digest);
  if (const Status status = probe::set_model(model_id, out.contents); !status.ok()) return broken(status);
  return std::nullopt;
}

}  // namespace visage::capture
