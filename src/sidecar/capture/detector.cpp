#include "sidecar/capture/detector.h"

#include <algorithm>

#include "sidecar/capture/tensor.h"

namespace visage::capture {
namespace {

constexpr float kScoreFloor = 0.5f;
constexpr float kSameFace = 0.3f, kCloseFace = 0.5f;  // overlaps, see suppress()
constexpr size_t kFineAnchors = 512;

const std::vector<Shape> kOutputs = {{1, 512, 1}, {1, 384, 1}, {1, 512, 16}, {1, 384, 16}};

}  // namespace

std::unique_ptr<Detector> Detector::create(std::unique_ptr<Session> session, std::string& error) {
  const Shape& input = session->inputs()[0];
  if (input.size() != 4 || input[1] != input[2] || input[3] != 3 || session->outputs() != kOutputs) {
    error = "not a BlazeFace network";
    return nullptr;
  }
  return std::unique_ptr<Detector>(new Detector(std::move(session)));
}

Detector::Detector(std::unique_ptr<Session> session)
    : session_(std::move(session)), side_(static_cast<float>(session_->inputs()[0][1])) {}

Status Detector::find(const cv::Mat& image, std::vector<Detection>& faces) const {
  const int side = static_cast<int>(side_);
  const float longest = static_cast<float>(std::max(image.cols, image.rows));
  const Point middle(static_cast<float>(image.cols - 1) / 2, static_cast<float>(image.rows - 1) / 2);
  const Similarity letterbox = Similarity::square(middle, longest, 0, side_);
  cv::Mat small;
  warp(image, letterbox, {side, side}, small);
  WipedVector<float> input(static_cast<size_t>(side) * static_cast<size_t>(side) * 3);
  to_tensor(small, Channels::kRgb, Layout::kNhwc, 1 / 127.5f, -1, input);
  WipedVector<float> logits(kAnchors), values(kAnchors * kBoxValues);
  const std::span<float> outputs[] = {
      {logits.data(), kFineAnchors},
      {logits.data() + kFineAnchors, kAnchors - kFineAnchors},
      {values.data(), kFineAnchors * kBoxValues},
      {values.data() + kFineAnchors * kBoxValues, (kAnchors - kFineAnchors) * kBoxValues}};
  VISAGE_TRY(session_->run(input, outputs));

  std::vector<Detection> candidates;
  for (size_t i = 0; i < kAnchors; ++i) {
    const std::span<const float, kBoxValues> row(values.data() + i * kBoxValues, kBoxValues);
    const Detection candidate = decode_anchor(anchors_[i], side_, logits[i], row);
    if (candidate.score >= kScoreFloor && candidate.box.width > 0 && candidate.box.height > 0)
      candidates.push_back(candidate);
  }
  faces = suppress(std::move(candidates), kSameFace, kCloseFace);
  // The network's coordinates count from the corner of the first pixel, ours from its middle.
  const Similarity back = letterbox.inverse();
  const auto to_image = [&](Point p) { return back({p.x - 0.5f, p.y - 0.5f}); };
  for (Detection& face : faces) {
    const Point corner = to_image({face.box.x, face.box.y});
    face.box = {corner.x, corner.y, face.box.width * back.scale(), face.box.height * back.scale()};
    for (Point& point : face.points) point = to_image(point);
  }
  return {};
}

}  // namespace visage::capture
