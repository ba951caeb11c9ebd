#include "sidecar/flow/capture_problem.h"

namespace visage::sidecar {
namespace {

struct Entry {
  http::ProblemCode code;
  const char* advice;
};

Entry entry_of(capture::FailureCode code) {
  using capture::FailureCode;
  using http::ProblemCode;
  switch (code) {
    case FailureCode::kUnsupportedFormat:
      return {ProblemCode::kUnsupportedImage, "send a JPEG, PNG or WebP still picture"};
    case FailureCode::kUnreadableImage:
      return {ProblemCode::kUnreadableImage, "send the whole, undamaged file"};
    case FailureCode::kImageTooLarge:
      return {ProblemCode::kImageTooLarge, "scale the picture down"};
    case FailureCode::kImageTooSmall:
      return {ProblemCode::kImageTooSmall, "send a larger picture"};
    case FailureCode::kDecodeTimeout:
      return {ProblemCode::kDecodeTimeout, "send a smaller or simpler picture"};
    case FailureCode::kNoFace:
      return {ProblemCode::kNoFace,
              "send a picture in which the face is whole, lit and turned to the camera"};
    case FailureCode::kSeveralFaces:
      return {ProblemCode::kSeveralFaces, "send a picture with one person; registration takes no choice"};
    case FailureCode::kFeatureFailed:
      break;
  }
  return {ProblemCode::kInternal, "try again, and report it when it stays"};
}

}  // namespace

http::Problem capture_problem(const capture::Failure& failure, const char* part) {
  const Entry entry = entry_of(failure.code);
  std::string detail = std::string("Part \"") + part + "\": " + std::string(capture::title(failure.code));
  if (!failure.detail.empty()) detail += " (" + failure.detail + ")";
  return {entry.code, detail + "; " + entry.advice + "."};
}

http::Problem busy() {
  return {http::ProblemCode::kBusy, "Too many pictures are being processed; try again after Retry-After.", 1};
}

http::Problem no_models() {
  return {http::ProblemCode::kNotReady, "The models are not loaded. Tell the operator; /ready says which."};
}

}  // namespace visage::sidecar
