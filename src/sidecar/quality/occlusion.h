// Occlusion without a segmentation network: pixels whose colour the skin of the person's own cheeks does not
// have. Sees masks, sunglasses and objects; does not see a hand, and takes beards and fringes for objects.
#pragma once

#include "sidecar/quality/view.h"

namespace visage::quality {

// Share of `mask`'s pixels (of view.face's size, 255 inside) that are not skin, lips or, with
// `dark_is_foreign` unset, dark as eyes, brows and nostrils are. Negative when it cannot be assessed.
double foreign_share(const View& view, const cv::Mat& mask, bool dark_is_foreign);

}  // namespace visage::quality
