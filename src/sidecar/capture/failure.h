// Why an image did not become a capture: one enumeration, its slugs and its words.
//
// The slug is stable API: the HTTP layer puts it into RFC 9457 `type`, metrics use it as a label. The title
// is for people. Neither contains anything read from the image.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace visage::capture {

enum class FailureCode : uint8_t {
  kUnsupportedFormat,  // not JPEG, PNG or WebP, or an animation
  kUnreadableImage,    // one of these formats, but truncated or damaged
  kImageTooLarge,      // over a limit of bytes, side or pixels; nothing was decoded
  kImageTooSmall,      // under the side at which a face could be used
  kDecodeTimeout,      // decoding passed its time limit
  kNoFace,
  kSeveralFaces,   // only when the caller asked for a single face
  kFeatureFailed,  // a network failed on this image; never expected
};
inline constexpr int kFailureCodes = 8;

std::string_view slug(FailureCode code);   // "no-face"
std::string_view title(FailureCode code);  // "No face was found in the image"

struct Failure {
  FailureCode code;
  std::string detail;  // figures and limits, safe to show to the caller
};

}  // namespace visage::capture
