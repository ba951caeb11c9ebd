#include "sidecar/quality/measure.h"

namespace visage::quality {
namespace {

using probe::Measure;

constexpr Definition kDefinitions[kMeasures] = {
    {Measure::kImageWidth, "ImageWidth", "px", "7.4a", "count", "larger-picture"},
    {Measure::kImageHeight, "ImageHeight", "px", "7.4a", "count", "larger-picture"},
    {Measure::kFacesFound, "FacesFound", "count", "6.1.1f", "detector", "one-person"},
    {Measure::kFaceWidth, "FaceWidth", "px", "6.1.3c", "detector", "come-closer"},
    {Measure::kFaceRegion, "FaceRegion", "ratio", "7.4b", "detector and mesh", "look-here"},
    {Measure::kFaceCompleteness, "FaceCompleteness", "ratio", "7.4d", "mesh", "whole-face"},
    {Measure::kGeometricDistortion, "GeometricDistortion", "%", "7.4c", "mesh, estimate", "do-not-stretch"},
    {Measure::kEyeGlare, "EyeGlare", "ratio", "7.4d", "statistics", "no-glare"},
    {Measure::kGreyRange, "GreyRange", "ratio", "7.4j", "statistics", "better-light"},
    {Measure::kGreyLevels, "GreyLevels", "ratio", "7.4j", "statistics", "other-camera"},
    {Measure::kShadowPrevention, "ShadowPrevention", "ratio", "7.4j", "statistics", "even-light"},
    {Measure::kLightColour, "LightColour", "chroma", "7.4i", "statistics of the whites of the eyes",
     "white-light"},
    {Measure::kBlockiness, "Blockiness", "ratio", "7.4e", "statistics", "less-compression"},
    {Measure::kEditorNamed, "EditorNamed", "0 or 1", "7.4d", "metadata", "no-filter"},
    {Measure::kSkinTexture, "SkinTexture", "ratio", "7.4d", "statistics", "no-filter"},
    {Measure::kIrisColour, "IrisColour", "CIELAB", "7.4d", "statistics and mesh", "no-lenses"},
    {Measure::kMakeUp, "MakeUp", "CIELAB", "7.4e", "statistics and mesh, estimate", "less-make-up"},
    {Measure::kDepthWidth, "DepthWidth", "px", "7.5h", "count", "other-camera"},
    {Measure::kDepthHeight, "DepthHeight", "px", "7.5h", "count", "other-camera"},
    {Measure::kDepthCompleteness, "DepthCompleteness", "ratio", "7.5h", "depth", "hold-still"},
    {Measure::kDepthFeatureCompleteness, "DepthFeatureCompleteness", "ratio", "7.5h", "depth and mesh",
     "hold-still"},
    {Measure::kDepthHoles, "DepthHoles", "ratio", "6.1.3d", "depth and mesh", "hold-still"},
    {Measure::kDepthOutliers, "DepthOutliers", "ratio", "6.1.3d", "depth and mesh", "hold-still"},
    {Measure::kDepthNoise, "DepthNoise", "mm", "7.5h", "depth and mesh", "come-closer"},
    {Measure::kDepthRelief, "DepthRelief", "mm", "6.1.3d", "depth and mesh", "whole-face"},
    {Measure::kDepthSkew, "DepthSkew", "ms", "7.5g", "time stamps", "other-camera"},
    {Measure::kBackgroundUniformity, "BackgroundUniformity", "gradient", "", "OFIQ; mesh for parsing",
     "plain-wall"},
    {Measure::kIlluminationUniformity, "IlluminationUniformity", "ratio", "7.4j", "OFIQ", "even-light"},
    {Measure::kLuminanceMean, "LuminanceMean", "ratio", "7.4j", "OFIQ", "better-light"},
    {Measure::kLuminanceVariance, "LuminanceVariance", "ratio", "7.4j", "OFIQ", "even-light"},
    {Measure::kUnderExposurePrevention, "UnderExposurePrevention", "ratio", "7.4j",
     "OFIQ, occlusion not left out", "more-light"},
    {Measure::kOverExposurePrevention, "OverExposurePrevention", "ratio", "7.4j",
     "OFIQ, occlusion not left out", "less-light"},
    {Measure::kDynamicRange, "DynamicRange", "bits", "7.4j", "OFIQ", "better-light"},
    {Measure::kSharpness, "Sharpness", "ratio", "7.4e", "blur effect (Crete-Roffet 2007)", "hold-still"},
    {Measure::kCompressionArtifacts, "CompressionArtifacts", "IJG quality", "7.4e", "JPEG tables",
     "less-compression"},
    {Measure::kNaturalColour, "NaturalColour", "CIELAB", "7.4i", "OFIQ", "white-light"},
    {Measure::kSingleFacePresent, "SingleFacePresent", "ratio", "6.1.1f", "OFIQ", "one-person"},
    {Measure::kEyesOpen, "EyesOpen", "ratio", "7.4g", "OFIQ on the mesh", "open-eyes"},
    {Measure::kMouthClosed, "MouthClosed", "ratio", "7.4g", "OFIQ on the mesh", "close-mouth"},
    {Measure::kEyesVisible, "EyesVisible", "ratio", "7.4d", "skin statistics", "uncover-eyes"},
    {Measure::kMouthOcclusionPrevention, "MouthOcclusionPrevention", "ratio", "7.4d", "skin statistics",
     "uncover-mouth"},
    {Measure::kFaceOcclusionPrevention, "FaceOcclusionPrevention", "ratio", "7.4d", "skin statistics",
     "uncover-face"},
    {Measure::kInterEyeDistance, "InterEyeDistance", "px", "7.4f", "OFIQ, pose from the mesh", "come-closer"},
    {Measure::kHeadSize, "HeadSize", "ratio", "6.1.3c", "OFIQ", "distance"},
    {Measure::kLeftwardCrop, "LeftwardCropOfTheFaceImage", "ratio", "", "OFIQ", "centre"},
    {Measure::kRightwardCrop, "RightwardCropOfTheFaceImage", "ratio", "", "OFIQ", "centre"},
    {Measure::kMarginAbove, "MarginAboveOfTheFaceImage", "ratio", "", "OFIQ", "centre"},
    {Measure::kMarginBelow, "MarginBelowOfTheFaceImage", "ratio", "", "OFIQ", "centre"},
    {Measure::kHeadPoseYaw, "HeadPoseYaw", "degrees", "7.4h", "mesh against the mean face", "face-camera"},
    {Measure::kHeadPosePitch, "HeadPosePitch", "degrees", "7.4h", "mesh against the mean face",
     "face-camera"},
    {Measure::kHeadPoseRoll, "HeadPoseRoll", "degrees", "7.4h", "mesh against the mean face", "head-upright"},
    {Measure::kExpressionNeutrality, "ExpressionNeutrality", "0 to 1", "7.4g", "blendshapes", "neutral-face"},
};

}  // namespace

std::span<const Definition, kMeasures> definitions() {
  return kDefinitions;
}

const Definition* find_definition(probe::Measure id) {
  for (const Definition& definition : kDefinitions)
    if (definition.id == id) return &definition;
  return nullptr;
}

void keep(const Readings& readings, probe::Contents& out) {
  out.quality_count = 0;
  add(readings, out);
}

void add(const Readings& readings, probe::Contents& out) {
  for (size_t i = 0; i < kMeasures; ++i)
    if (readings[i].assessed && out.quality_count < probe::kMaxQuality)
      out.quality[out.quality_count++] = {kDefinitions[i].id, readings[i].scalar, readings[i].native};
}

}  // namespace visage::quality
