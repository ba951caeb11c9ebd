// Thresholds from one half of the people, rates on the other.
#pragma once

#include "accuracy_scores.h"

namespace visage::bench {

// Each half sets the threshold for the other; errors and attempts of both directions are added up.
// accuracy.far_other_half_at_<F> and accuracy.frr_other_half_at_far_<F>.
void print_halves(const Scores& scores);

}  // namespace visage::bench
