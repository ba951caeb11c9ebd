#include "sidecar/quality/profile.h"

namespace visage::quality {
namespace {

using enum Scale;
using probe::Measure;

// T/IIFAA 3001.1 7.4 and 6.1.3. Figures that the standard states are its own; where it has only words, the
// figure was set so that at most one in thirty of the portraits fails (docs/quality.md).
constexpr Limit kIifaa[] = {
    {Measure::kImageWidth, kNative, 640, kNoHigh},                         // 7.4a
    {Measure::kImageHeight, kNative, 480, kNoHigh},                        // 7.4a
    {Measure::kFaceRegion, kNative, 0.4f, kNoHigh},                        // 7.4b
    {Measure::kGeometricDistortion, kNative, kNoLow, 10, false, 15},       // 7.4c
    {Measure::kFaceCompleteness, kNative, 0.99f, kNoHigh},                 // 7.4d
    {Measure::kEyesVisible, kNative, kNoLow, 0.6f, false},                 // 7.4d
    {Measure::kMouthOcclusionPrevention, kNative, kNoLow, 0.5f, false},    // 7.4d
    {Measure::kFaceOcclusionPrevention, kNative, kNoLow, 0.6f, false},     // 7.4d
    {Measure::kEyeGlare, kNative, kNoLow, 0.08f},                          // 7.4d
    {Measure::kSkinTexture, kNative, 0.5f, kNoHigh, false},                // 7.4d
    {Measure::kIrisColour, kNative, kNoLow, 10, false},                    // 7.4d
    {Measure::kMakeUp, kNative, kNoLow, 25, false, 15},                    // 7.4e
    {Measure::kSharpness, kScalar, 30, kNoHigh},                           // 7.4e
    {Measure::kCompressionArtifacts, kNative, 30, kNoHigh, false},         // 7.4e
    {Measure::kInterEyeDistance, kNative, 60, kNoHigh},                    // 7.4f
    {Measure::kExpressionNeutrality, kNative, kNoLow, 0.75f},              // 7.4g
    {Measure::kEyesOpen, kScalar, 50, kNoHigh},                            // 7.4g
    {Measure::kMouthClosed, kScalar, 40, kNoHigh},                         // 7.4g
    {Measure::kHeadPoseYaw, kNative, -20, 20},                             // 7.4h
    {Measure::kHeadPosePitch, kNative, -20, 20},                           // 7.4h
    {Measure::kHeadPoseRoll, kNative, -20, 20},                            // 7.4h
    {Measure::kLightColour, kNative, kNoLow, 60, false},                   // 7.4i
    {Measure::kNaturalColour, kNative, kNoLow, 25, false},                 // 7.4i
    {Measure::kGreyRange, kNative, 0.5f, kNoHigh},                         // 7.4j: mostly in 85…200
    {Measure::kGreyLevels, kNative, 0.9f, kNoHigh, false},                 // 7.4j: 256 grey levels
    {Measure::kIlluminationUniformity, kScalar, 40, kNoHigh, false},       // 7.4j
    {Measure::kShadowPrevention, kNative, 0.07f, kNoHigh, false},          // 7.4j
    {Measure::kUnderExposurePrevention, kScalar, 50, kNoHigh},             // 7.4j
    {Measure::kOverExposurePrevention, kNative, kNoLow, 0.1f},             // 7.4j
    {Measure::kSingleFacePresent, kNative, kNoLow, 0.5f},                  // 6.1.1f: which is the main face
    {Measure::kDepthWidth, kNative, 640, kNoHigh, false},                  // 7.5h
    {Measure::kDepthHeight, kNative, 400, kNoHigh, false},                 // 7.5h
    {Measure::kDepthCompleteness, kNative, 0.8f, kNoHigh, false},          // 7.5h
    {Measure::kDepthFeatureCompleteness, kNative, 0.95f, kNoHigh, false},  // 7.5h
    {Measure::kDepthNoise, kNative, kNoLow, 3, false},                     // 7.5h
    {Measure::kDepthSkew, kNative, kNoLow, 100, false},                    // 7.5g: one frame at 10 a second
    {Measure::kDepthHoles, kNative, kNoLow, 0.02f, false},                 // 6.1.3d
    {Measure::kDepthOutliers, kNative, kNoLow, 0.01f, false},              // 6.1.3d
    {Measure::kDepthRelief, kNative, 8, 70, false},                        // 6.1.3d: no face's nose is longer
};

// A portrait for a document: framing, background and expression as well, everything nearer to perfect.
constexpr Limit kIcaoLike[] = {
    {Measure::kInterEyeDistance, kNative, 90, kNoHigh},
    {Measure::kFaceRegion, kNative, 0.4f, kNoHigh},
    {Measure::kFaceCompleteness, kNative, 1, kNoHigh},
    {Measure::kSingleFacePresent, kNative, kNoLow, 0.05f},
    {Measure::kHeadSize, kScalar, 50, kNoHigh},
    {Measure::kLeftwardCrop, kScalar, 50, kNoHigh},
    {Measure::kRightwardCrop, kScalar, 50, kNoHigh},
    {Measure::kMarginAbove, kScalar, 25, kNoHigh},
    {Measure::kMarginBelow, kScalar, 25, kNoHigh},
    {Measure::kBackgroundUniformity, kScalar, 50, kNoHigh},
    {Measure::kHeadPoseYaw, kNative, -5, 5, true, 3},
    {Measure::kHeadPosePitch, kNative, -5, 5, true, 5},
    {Measure::kHeadPoseRoll, kNative, -8, 8},
    {Measure::kExpressionNeutrality, kScalar, 60, kNoHigh},
    {Measure::kEyesOpen, kScalar, 80, kNoHigh},
    {Measure::kMouthClosed, kScalar, 80, kNoHigh},
    {Measure::kEyesVisible, kNative, kNoLow, 0.4f},
    {Measure::kEyeGlare, kNative, kNoLow, 0.02f},
    {Measure::kMouthOcclusionPrevention, kNative, kNoLow, 0.3f},
    {Measure::kFaceOcclusionPrevention, kNative, kNoLow, 0.3f},
    {Measure::kSharpness, kScalar, 50, kNoHigh},
    {Measure::kCompressionArtifacts, kNative, 60, kNoHigh, false},
    {Measure::kGeometricDistortion, kNative, kNoLow, 5, false, 15},
    {Measure::kIlluminationUniformity, kScalar, 60, kNoHigh},
    {Measure::kShadowPrevention, kNative, 0.3f, kNoHigh},
    {Measure::kUnderExposurePrevention, kScalar, 90, kNoHigh},
    {Measure::kOverExposurePrevention, kNative, kNoLow, 0.03f},
    {Measure::kDynamicRange, kScalar, 70, kNoHigh},
    {Measure::kNaturalColour, kScalar, 50, kNoHigh},
};

// A photo that somebody else took, as a document's or an archive's: what a comparison needs and no more.
constexpr Limit kPhotoImport[] = {
    {Measure::kInterEyeDistance, kNative, 40, kNoHigh},
    {Measure::kFaceRegion, kNative, 0.4f, kNoHigh},
    {Measure::kFaceCompleteness, kNative, 0.95f, kNoHigh},
    {Measure::kSingleFacePresent, kNative, kNoLow, 0.5f},
    {Measure::kHeadPoseYaw, kNative, -25, 25},
    {Measure::kHeadPosePitch, kNative, -25, 25},
    {Measure::kHeadPoseRoll, kNative, -30, 30},
    {Measure::kEyesVisible, kNative, kNoLow, 0.6f, false},
    {Measure::kFaceOcclusionPrevention, kNative, kNoLow, 0.65f, false},
    {Measure::kSharpness, kScalar, 20, kNoHigh},
    {Measure::kCompressionArtifacts, kNative, 20, kNoHigh, false},
    {Measure::kUnderExposurePrevention, kScalar, 30, kNoHigh},
    {Measure::kOverExposurePrevention, kNative, kNoLow, 0.2f},
};

constexpr Profile kProfiles[] = {
    {"iifaa", "a live capture under T/IIFAA 3001.1 7.4", kIifaa},
    {"icao-like", "a portrait in the manner of ISO/IEC 39794-5", kIcaoLike},
    {"photo-import", "a photo that was taken elsewhere", kPhotoImport},
};

Verdict compare(const Reading& reading, const Limit& limit) {
  if (!reading.assessed) return Verdict::kUndetermined;
  if (limit.scale == kScalar && reading.scalar == probe::kScalarUndetermined) return Verdict::kUndetermined;
  const float value = limit.scale == kNative ? reading.native : static_cast<float>(reading.scalar);
  if (value >= limit.low && value <= limit.high) return Verdict::kOk;
  const bool doubtful = value >= limit.low - limit.doubt && value <= limit.high + limit.doubt;
  return doubtful ? Verdict::kUndetermined : Verdict::kFail;
}

}  // namespace

std::span<const Profile> profiles() {
  return kProfiles;
}

const Profile* find_profile(std::string_view name) {
  for (const Profile& profile : kProfiles)
    if (profile.name == name) return &profile;
  return nullptr;
}

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return "ok";
    case Verdict::kFail:
      return "fail";
    case Verdict::kUndetermined:
      break;
  }
  return "undetermined";
}

Judgement judge(const Readings& readings, const Profile& profile) {
  Judgement out{{}, Verdict::kOk};
  out.checks.reserve(kMeasures);
  for (size_t i = 0; i < kMeasures; ++i) {
    const Definition& definition = definitions()[i];
    Check check{&definition, readings[i], nullptr,
                readings[i].assessed ? Verdict::kOk : Verdict::kUndetermined};
    for (const Limit& limit : profile.limits)
      if (limit.measure == definition.id) check.limit = &limit;
    if (check.limit != nullptr) {
      check.verdict = compare(check.reading, *check.limit);
      if (check.verdict == Verdict::kFail) out.verdict = Verdict::kFail;
      if (check.verdict == Verdict::kUndetermined && check.limit->required && out.verdict == Verdict::kOk)
        out.verdict = Verdict::kUndetermined;
    }
    out.checks.push_back(check);
  }
  return out;
}

}  // namespace visage::quality
