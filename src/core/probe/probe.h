// The probe (T/IIFAA 3001.1 3.5): the sealed result of one capture, ready to be compared.
//
// A capture source (a sidecar instance, or a backend with its own SDK) seals probes under its own key, which
// is derived from an envelope root by label. What routes and dates the probe is in the authenticated header,
// readable without a key; feature, model, liveness and quality are encrypted. The layout is docs/formats.md
// "probe".
#pragma once

#include <string_view>

#include "core/base/bytes.h"
#include "core/base/status.h"
#include "core/crypto/engine.h"

namespace visage::probe {

inline constexpr size_t kMinDimension = 64;
inline constexpr size_t kMaxDimension = 2048;
inline constexpr size_t kMaxModelLength = 63;
// First half of SHA-256 of the model id: how references name the model they were made with.
inline constexpr size_t kModelDigestSize = 16;
inline constexpr size_t kMaxLiveness = 16;
inline constexpr size_t kMaxQuality = 64;
inline constexpr size_t kSessionNonceSize = 32;
inline constexpr size_t kHeaderSize = 112;
inline constexpr size_t kSourceKeySize = 32;
// Times end before the year 10000, where the database and every JSON parser still agree.
inline constexpr int64_t kMaxTime = 253402300800000000;
// Largest envelope that seal() can write; anything longer is refused before it is parsed.
inline constexpr size_t kMaxSize = 10240;

// Liveness method. The value is the probability that the presentation is bona fide, 0…1.
enum class LivenessMethod : uint8_t {
  kDeclared = 1,  // stated by the caller's own SDK through visage.seal_probe
  kPassive = 2,   // one-image network
  // Of a capture of several frames, or with depth; docs/liveness.md says what each looks at.
  kChallenge = 3,   // movements that the session asked for
  kContinuity = 4,  // one face throughout
  kLight = 5,       // colours that the session asked for
  kDepth = 6,
  kInjection = 7,  // where the frames came from
  kTexture = 8,    // dots of a print, pixels of a screen
};

struct Liveness {
  LivenessMethod method;
  float value;
};

// Quality measure ids: ISO/IEC 29794-5 where it has one (0x41…0x5c), ours below 0x41.
enum class Measure : uint8_t {
  kImageWidth = 0x01,   // px
  kImageHeight = 0x02,  // px
  kFacesFound = 0x03,   // count
  kFaceWidth = 0x04,    // px, the detector's box
  kFaceRegion = 0x05,
  kFaceCompleteness = 0x06,
  kGeometricDistortion = 0x07,  // %
  kEyeGlare = 0x08,
  kGreyRange = 0x09,
  kGreyLevels = 0x0a,
  kShadowPrevention = 0x0b,
  kLightColour = 0x0c,  // CIELAB chroma
  kBlockiness = 0x0d,
  kEditorNamed = 0x0e,  // 0 or 1
  kSkinTexture = 0x0f,
  kIrisColour = 0x10,   // CIELAB
  kMakeUp = 0x11,       // CIELAB
  kDepthWidth = 0x20,   // px
  kDepthHeight = 0x21,  // px
  kDepthCompleteness = 0x22,
  kDepthFeatureCompleteness = 0x23,
  kDepthHoles = 0x24,
  kDepthOutliers = 0x25,
  kDepthNoise = 0x26,   // mm
  kDepthRelief = 0x27,  // mm
  kDepthSkew = 0x28,    // ms
  // A liveness method's value once more (0x30 + method), so that a channel's floor can demand the method.
  kLivenessChallenge = 0x33,
  kLivenessContinuity = 0x34,
  kLivenessLight = 0x35,
  kLivenessDepth = 0x36,
  kLivenessInjection = 0x37,
  kLivenessTexture = 0x38,
  kLivenessActive = 0x3e,  // the better of challenge and light: what the session asked for was answered
  kLivenessReason = 0x3f,  // docs/liveness.md "reasons"
  kBackgroundUniformity = 0x42,
  kIlluminationUniformity = 0x43,
  kLuminanceMean = 0x44,
  kLuminanceVariance = 0x45,
  kUnderExposurePrevention = 0x46,
  kOverExposurePrevention = 0x47,
  kDynamicRange = 0x48,  // bits
  kSharpness = 0x49,
  kCompressionArtifacts = 0x4a,
  kNaturalColour = 0x4b,
  kSingleFacePresent = 0x4c,
  kEyesOpen = 0x4d,
  kMouthClosed = 0x4e,
  kEyesVisible = 0x4f,
  kMouthOcclusionPrevention = 0x50,
  kFaceOcclusionPrevention = 0x51,
  kInterEyeDistance = 0x52,  // px
  kHeadSize = 0x53,
  kLeftwardCrop = 0x54,
  kRightwardCrop = 0x55,
  kMarginAbove = 0x56,
  kMarginBelow = 0x57,
  kHeadPoseYaw = 0x58,    // degrees
  kHeadPosePitch = 0x59,  // degrees
  kHeadPoseRoll = 0x5a,   // degrees
  kExpressionNeutrality = 0x5b,
};

inline constexpr uint8_t kScalarUndetermined = 255;

struct Quality {
  Measure measure;
  uint8_t scalar;  // 0…100, or kScalarUndetermined
  float native;    // the measure's own unit
};

// The authenticated header. Times are microseconds since 1970-01-01 UTC.
struct Header {
  crypto::Suite suite;
  uint32_t key_version;  // of the envelope root that the source's key derives from
  uint32_t institution;
  Uuid probe;
  Uuid source;
  uint32_t source_generation;  // of the source's key; counts its replacements from 1
  int64_t captured_at;
  int64_t expires_at;
  uint8_t session_nonce[kSessionNonceSize];  // all zero: not bound to a session
};

// What the encryption hides. Trivial, so that it can live in PostgreSQL memory; wipe it after use.
struct Contents {
  uint16_t dimension;
  uint8_t model_length;
  char model[kMaxModelLength + 1];
  uint8_t model_digest[kModelDigestSize];  // not in the envelope: set_model() keeps it with the name
  uint8_t image_digest[32];                // SHA-256 of the uploaded image; zero when the caller has none
  uint8_t liveness_count;
  Liveness liveness[kMaxLiveness];
  uint8_t quality_count;
  Quality quality[kMaxQuality];
  float feature[kMaxDimension];  // unit length; `dimension` values are used

  std::string_view model_id() const { return {model, model_length}; }
};

// A capture source's key as add_capture_source hands it out, once.
struct SourceKey {
  crypto::Suite suite;
  uint32_t key_version;
  uint32_t institution;
  uint32_t generation;
  Uuid source;
  uint8_t key[kSourceKeySize];
};

// "visage-source-1:" followed by the text form of the key; see docs/formats.md "source key".
inline constexpr size_t kMaxSourceKeyText = 160;
Status encode_source_key(const SourceKey& key, char* out, size_t capacity);
Status decode_source_key(std::string_view text, SourceKey& out);

// Checks a feature and scales it to unit length. Errors name the index of the first bad value: NaN and
// infinities, subnormal numbers, and a vector of zeros are refused.
Status set_feature(std::span<const float> feature, Contents& out);
Status set_model(std::string_view model, Contents& out);

size_t sealed_size(crypto::Suite suite, const Contents& contents);
// Fills header.suite, key_version, institution, source and source_generation from the key and a fresh probe
// id; the caller sets the times and the nonce. `out` has sealed_size() bytes.
Status seal(crypto::Engine& engine, const SourceKey& key, Header& header, const Contents& contents,
            MutableBytes out);

// Structure only: version, suite, reserved bytes, lengths, order of times. Needs no key; input is hostile.
Status parse(Bytes envelope, Header& header);
// parse(), then decrypt with the source's key (kSourceKeySize bytes) and check the contents.
Status open(crypto::Engine& engine, Bytes source_key, Bytes envelope, Header& header, Contents& contents);

}  // namespace visage::probe
