#include "sidecar/capture/measures.h"

#include <algorithm>
#include <cmath>

namespace visage::capture {
namespace {

using probe::Measure;

double sigmoid(double x, double middle, double width) {
  return 1 / (1 + std::exp((middle - x) / width));
}

// "Scalar quality" of 29794-5: clipped to 0…100 and rounded.
uint8_t scalar(double value) {
  return static_cast<uint8_t>(std::lround(std::clamp(value, 0.0, 100.0)));
}

void append(probe::Contents& out, Measure measure, uint8_t scalar, float native) {
  if (out.quality_count < probe::kMaxQuality) out.quality[out.quality_count++] = {measure, scalar, native};
}

}  // namespace

void measure(cv::Size image, std::span<const Detection> faces, const Mesh& mesh, probe::Contents& out) {
  // Counts and sizes have no mapping to 0…100 of their own; policy puts floors under the native values.
  append(out, Measure::kImageWidth, probe::kScalarUndetermined, static_cast<float>(image.width));
  append(out, Measure::kImageHeight, probe::kScalarUndetermined, static_cast<float>(image.height));
  append(out, Measure::kFacesFound, probe::kScalarUndetermined, static_cast<float>(faces.size()));
  append(out, Measure::kFaceWidth, probe::kScalarUndetermined, faces.front().box.width);
  const float second = second_face_ratio(faces);
  append(out, Measure::kSingleFacePresent, scalar(100 * (1 - static_cast<double>(second))), second);
  const FivePoints five = five_points(mesh);
  // The standard divides by the cosine of yaw; there is no head pose yet, so this is a lower bound.
  const float eyes = distance(five.left_eye, five.right_eye);
  append(out, Measure::kInterEyeDistance, scalar(100 * sigmoid(eyes, 70, 20)), eyes);
  const float head = eyes_to_chin(mesh) / static_cast<float>(image.height);
  append(out, Measure::kHeadSize, scalar(200 * (1 - sigmoid(std::abs(head - 0.45), 0, 0.05))), head);
}

}  // namespace visage::capture
