#include "sidecar/quality/assess.h"

#include "sidecar/quality/measures.h"

namespace visage::quality {
namespace {

// In the order of definitions(); a unit test holds both together.
constexpr Assess kFunctions[kMeasures] = {
    image_width,
    image_height,
    faces_found,
    face_width,
    face_region,
    face_completeness,
    geometric_distortion,
    eye_glare,
    grey_range,
    grey_levels,
    shadow_prevention,
    light_colour,
    blockiness,
    editor_named,
    skin_texture,
    iris_colour,
    make_up,
    depth_width,
    depth_height,
    depth_completeness,
    depth_feature_completeness,
    depth_holes,
    depth_outliers,
    depth_noise,
    depth_relief,
    depth_skew,
    background_uniformity,
    illumination_uniformity,
    luminance_mean,
    luminance_variance,
    under_exposure,
    over_exposure,
    dynamic_range,
    sharpness,
    compression_artifacts,
    natural_colour,
    single_face_present,
    eyes_open,
    mouth_closed,
    eyes_visible,
    mouth_occlusion,
    face_occlusion,
    inter_eye_distance,
    head_size,
    leftward_crop,
    rightward_crop,
    margin_above,
    margin_below,
    head_pose_yaw,
    head_pose_pitch,
    head_pose_roll,
    expression_neutrality,
};

}  // namespace

std::span<const Assess, kMeasures> functions() {
  return kFunctions;
}

void assess(const View& view, Readings& out) {
  for (size_t i = 0; i < kMeasures; ++i) out[i] = kFunctions[i](view);
}

void assess_depth(const View& view, Readings& out) {
  for (size_t i = 0; i < kMeasures; ++i) {
    const probe::Measure id = definitions()[i].id;
    if (id >= probe::Measure::kDepthWidth && id <= probe::Measure::kDepthSkew) out[i] = kFunctions[i](view);
  }
}

}  // namespace visage::quality
