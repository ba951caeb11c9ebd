// WebP through libwebp: lossy and lossless to BGR or BGRA.
#include <webp/decode.h>

#include "sidecar/capture/codecs.h"

namespace visage::capture {

std::optional<Failure> decode_webp(Bytes image, cv::Size size, Clock::time_point deadline, cv::Mat& out) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(image.data(), image.size(), &features) != VP8_STATUS_OK ||
      features.has_animation != 0 || features.width != size.width || features.height != size.height)
    return failure_of(Stop::kDamaged);
  out.create(size, features.has_alpha != 0 ? CV_8UC4 : CV_8UC3);
  const auto decode = features.has_alpha != 0 ? WebPDecodeBGRAInto : WebPDecodeBGRInto;
  const size_t bytes = out.total() * out.elemSize();
  if (decode(image.data(), image.size(), out.data, bytes, static_cast<int>(out.step)) == nullptr)
    return failure_of(Stop::kDamaged);
  return failure_of(Clock::now() > deadline ? Stop::kTimeout : Stop::kNone);
}

}  // namespace visage::capture
