// The detection stage: what the pipeline found, and how long it took.
#pragma once

#include "accuracy_features.h"

namespace visage::bench {

// accuracy.detection_rate; pictures without a feature on stderr.
void print_detection(const Dataset& dataset, const Features& features);
// Stages of the pictures that this run processed, on stderr; with all cores busy.
void print_timings(std::vector<capture::Timings> timings);

}  // namespace visage::bench
