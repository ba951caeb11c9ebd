// A picture that shows what was measured: region, points, head axes, a verdict a line.
#pragma once

#include "sidecar/capture/wiping.h"
#include "sidecar/quality/profile.h"
#include "sidecar/quality/view.h"

namespace visage::quality {

// A PNG. The original picture is in it: it is as personal as that.
void draw(const View& view, const Judgement& judgement, capture::WipedVector<uint8_t>& out);

}  // namespace visage::quality
