// Occlusion without a segmentation network: pixels whose colour the skin of the person's own cheeks does not
// have. Sees masks, sunglasses and objects; does not see a hand, and takes beards and fringes for objects.
#pragma once

#include "sidecar/quality/view.h"

namespace visage::quality {

// Whether the cheeks have the colour of skin. One that has not is covered itself, or the light is coloured.
bool is_skin(const Skin& skin);

// Share of `mask`'s pixels (of view.face's size, 255 inside) that are neither skin nor lips. Pixels darker
// than `dark` × the lightness of the cheeks count as foreign too; 0 leaves the dark ones out, as eyes, brows
// and an open mouth have them. Negative when it cannot be assessed.
double foreign_share(const View& view, const cv::Mat& mask, float dark);

}  // namespace visage::quality
