#include "sidecar/capture/feature.h"

#include <opencv2/imgproc.hpp>

#include "sidecar/capture/tensor.h"

namespace visage::capture {
namespace {

// ArcFace's positions of eyes, nose tip and mouth corners in 112 × 112 px, which SFace was trained on.
constexpr std::array<std::array<float, 2>, 5> kTemplate = {{{38.2946f, 51.6963f},
                                                            {73.5318f, 51.5014f},
                                                            {56.0252f, 71.7366f},
                                                            {41.5493f, 92.3655f},
                                                            {70.7299f, 92.2041f}}};

}  // namespace

std::string feature_model_id(std::string_view sha256_hex) {
  const std::string network = sha256_hex == kFeatureSha256
                                  ? std::string(kFeatureModel)
                                  : "custom-" + std::string(sha256_hex.substr(0, 16));
  return network + "/" + std::to_string(kPreprocessing);
}

Similarity align(const FivePoints& points) {
  std::array<Point, 5> targets;
  for (size_t i = 0; i < targets.size(); ++i) targets[i] = {kTemplate[i][0], kTemplate[i][1]};
  const std::array<Point, 5> from = points.list();
  return fit_similarity(from, targets);
}

std::unique_ptr<Recogniser> Recogniser::create(std::unique_ptr<Session> session, std::string& error) {
  const size_t dimension = session->output_size(0);
  if (session->inputs()[0] != Shape{1, 3, kAlignedSide, kAlignedSide} || session->outputs().size() != 1 ||
      dimension < probe::kMinDimension || dimension > probe::kMaxDimension) {
    error = "not a face feature network on 1×3×112×112";
    return nullptr;
  }
  return std::unique_ptr<Recogniser>(new Recogniser(std::move(session)));
}

Status Recogniser::extract(const cv::Mat& aligned, probe::Contents& out) const {
  const size_t dimension = session_->output_size(0);
  WipedVector<float> input(kAlignedSide * kAlignedSide * 3), feature(dimension), mirrored(dimension);
  const auto pass = [&](const cv::Mat& face, WipedVector<float>& result) {
    to_tensor(face, Channels::kRgb, Layout::kNchw, 1, 0, input);
    const std::span<float> outputs[] = {result};
    return session_->run(input, outputs);
  };
  VISAGE_TRY(pass(aligned, feature));
  cv::Mat mirror;
  cv::flip(aligned, mirror, 1);
  VISAGE_TRY(pass(mirror, mirrored));
  for (size_t i = 0; i < dimension; ++i) feature[i] += mirrored[i];
  return probe::set_feature(feature, out);
}

}  // namespace visage::capture
