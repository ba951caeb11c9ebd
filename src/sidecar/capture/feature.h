// The feature: SFace (OpenCV Zoo, 2021-12) on an aligned face and its mirror image.
#pragma once

#include <memory>

#include "core/probe/probe.h"
#include "sidecar/capture/geometry.h"
#include "sidecar/capture/session.h"

namespace visage::capture {

// The one place that names the model. Features are comparable only when network AND preprocessing are the
// same: raise the version with any change to detector, mesh, crop, alignment or averaging that moves
// features.
inline constexpr std::string_view kFeatureModel = "sface-2021dec";
inline constexpr int kPreprocessing = 1;
// SHA-256 of the network that kFeatureModel names (tools/models.json). Any other file gets an id of its own,
// "custom-" and the start of its hash, so that its features never meet SFace's.
inline constexpr std::string_view kFeatureSha256 =
    "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79";
std::string feature_model_id(std::string_view sha256_hex);

inline constexpr int kAlignedSide = 112;  // px

// The transform that puts five points onto the template.
Similarity align(const FivePoints& points);

class Recogniser {
 public:
  static std::unique_ptr<Recogniser> create(std::unique_ptr<Session> session, std::string& error);

  // `aligned` is kAlignedSide squared, BGR. Sets out.dimension and out.feature, unit length.
  Status extract(const cv::Mat& aligned, probe::Contents& out) const;

 private:
  explicit Recogniser(std::unique_ptr<Session> session) : session_(std::move(session)) {}
  std::unique_ptr<Session> session_;
};

}  // namespace visage::capture
