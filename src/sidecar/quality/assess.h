// From what the pipeline found to the readings of all measures.
#pragma once

#include "sidecar/quality/measure.h"
#include "sidecar/quality/view.h"

namespace visage::quality {

using Assess = Reading (*)(const View&);
// The function behind each definition, in the same order.
std::span<const Assess, kMeasures> functions();

void assess(const View& view, Readings& out);
// Those of the depth map alone, for which the picture need have nothing but its size.
void assess_depth(const View& view, Readings& out);

}  // namespace visage::quality
