#include "sidecar/capture/failure.h"

namespace visage::capture {
namespace {

struct Words {
  std::string_view slug, title;
};

constexpr Words kWords[kFailureCodes] = {
    {"unsupported-format", "The image is not a JPEG, PNG or WebP still picture"},
    {"unreadable-image", "The image is truncated or damaged"},
    {"image-too-large", "The image is larger than this service accepts"},
    {"image-too-small", "The image is too small to hold a usable face"},
    {"decode-timeout", "Decoding the image took too long"},
    {"no-face", "No face was found in the image"},
    {"several-faces", "More than one face was found in the image"},
    {"feature-failed", "The face could not be turned into a feature"},
};

}  // namespace

std::string_view slug(FailureCode code) {
  return kWords[static_cast<int>(code)].slug;
}
std::string_view title(FailureCode code) {
  return kWords[static_cast<int>(code)].title;
}

}  // namespace visage::capture
