#include "sidecar/capture/liveness.h"

#include <algorithm>
#include <cmath>

#include "sidecar/capture/tensor.h"

namespace visage::capture {
namespace {

constexpr int kSide = 80;
constexpr float kCropScale = 2.7f;  // of the face box's longer side
constexpr size_t kClasses = 3, kLive = 1;

}  // namespace

std::unique_ptr<Liveness> Liveness::create(std::unique_ptr<Session> session, std::string& error) {
  if (session->inputs()[0] != Shape{1, kSide, kSide, 3} ||
      session->outputs() != std::vector<Shape>{{1, kClasses}}) {
    error = "not a MiniFASNet network on 1×80×80×3";
    return nullptr;
  }
  return std::unique_ptr<Liveness>(new Liveness(std::move(session)));
}

Status Liveness::judge(const cv::Mat& image, const Box& face, float& live) const {
  // Trained on crops that stay inside the picture: shrunk to fit, then shifted, never padded.
  const float side = std::min({kCropScale * std::max(face.width, face.height), static_cast<float>(image.cols),
                               static_cast<float>(image.rows)});
  const auto inside = [&](float middle, int length) {
    return std::clamp(middle, side / 2, static_cast<float>(length) - side / 2) - 0.5f;
  };
  const Point middle = center(face);
  cv::Mat crop;
  warp(image,
       Similarity::square({inside(middle.x, image.cols), inside(middle.y, image.rows)}, side, 0, kSide),
       {kSide, kSide}, crop, cv::BORDER_REPLICATE);
  WipedVector<float> input(kSide * kSide * 3);
  to_tensor(crop, Channels::kBgr, Layout::kNhwc, 1, 0, input);
  std::array<float, kClasses> logits{};
  const std::span<float> outputs[] = {logits};
  VISAGE_TRY(session_->run(input, outputs));
  const float highest = *std::max_element(logits.begin(), logits.end());
  float sum = 0;
  for (float& logit : logits) sum += logit = std::exp(logit - highest);
  live = logits[kLive] / sum;
  if (!std::isfinite(live)) return Status::error(Code::kInternal, "liveness: the network gave no number");
  return {};
}

}  // namespace visage::capture
