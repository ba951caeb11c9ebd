// MouthOcclusionPrevention (0x50) by skin statistics: share of the lips and what is around them that has
// neither the colour of skin nor that of lips. An open mouth is dark inside, which counts as mouth.
#include "sidecar/quality/measures.h"
#include "sidecar/quality/occlusion.h"

namespace visage::quality {

Reading mouth_occlusion(const View& view) {
  const double share = foreign_share(view, view.mask_of(outer_lips()), 0);
  return share < 0 ? undetermined() : mapped(share, 100 * (1 - share));
}

}  // namespace visage::quality
