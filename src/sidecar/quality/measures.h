// The measures, one a file under its ISO/IEC 29794-5 name, or ours where that has none.
//
// Formulas and curves of those with an ISO id are OFIQ 1.0.3's unless the file says otherwise. Every function
// is const in its view, allocates only small pictures and keeps nothing.
#pragma once

#include "sidecar/quality/reading.h"
#include "sidecar/quality/view.h"

namespace visage::quality {

// The picture and where the face lies in it.
Reading image_width(const View& view);
Reading image_height(const View& view);
Reading faces_found(const View& view);
Reading face_width(const View& view);
Reading face_region(const View& view);
Reading face_completeness(const View& view);
Reading single_face_present(const View& view);
Reading inter_eye_distance(const View& view);
Reading head_size(const View& view);
Reading leftward_crop(const View& view);
Reading rightward_crop(const View& view);
Reading margin_above(const View& view);
Reading margin_below(const View& view);
Reading geometric_distortion(const View& view);

// What the person does.
Reading head_pose_yaw(const View& view);
Reading head_pose_pitch(const View& view);
Reading head_pose_roll(const View& view);
Reading eyes_open(const View& view);
Reading mouth_closed(const View& view);
Reading expression_neutrality(const View& view);

// What covers the face.
Reading eyes_visible(const View& view);
Reading eye_glare(const View& view);
Reading mouth_occlusion(const View& view);
Reading face_occlusion(const View& view);

// Light.
Reading background_uniformity(const View& view);
Reading illumination_uniformity(const View& view);
Reading luminance_mean(const View& view);
Reading luminance_variance(const View& view);
Reading under_exposure(const View& view);
Reading over_exposure(const View& view);
Reading dynamic_range(const View& view);
Reading grey_range(const View& view);
Reading grey_levels(const View& view);
Reading shadow_prevention(const View& view);
Reading natural_colour(const View& view);
Reading light_colour(const View& view);

// The signal.
Reading sharpness(const View& view);
Reading compression_artifacts(const View& view);
Reading blockiness(const View& view);

// What was done to the picture or the face.
Reading editor_named(const View& view);
Reading skin_texture(const View& view);
Reading iris_colour(const View& view);
Reading make_up(const View& view);

// The depth map; undetermined without one.
Reading depth_width(const View& view);
Reading depth_height(const View& view);
Reading depth_completeness(const View& view);
Reading depth_feature_completeness(const View& view);
Reading depth_holes(const View& view);
Reading depth_outliers(const View& view);
Reading depth_noise(const View& view);
Reading depth_relief(const View& view);
Reading depth_skew(const View& view);

}  // namespace visage::quality
