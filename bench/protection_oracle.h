// Attacks without any key, by asking the system: with scores, and with accept or reject only.
#pragma once

#include <functional>

#include "protection_attack.h"

namespace visage::bench::protection {

using AskScore = std::function<double(const Feature&)>;
using AskVerdict = std::function<bool(const Feature&)>;

// The score is linear in the direction of the probe, so one question along each axis of the population, the
// most telling first, gives one coordinate of the feature. `after` sees the estimate after each question,
// coordinates not asked yet being the population's, and ends the attack by returning true.
void learn_from_scores(const AskScore& ask, const Population& population, double score_variance,
                       const std::function<bool(size_t questions, const Feature& estimate)>& after);

// What is accepted is a cone about the feature that the reference holds. From one accepted probe, turning
// towards ±each other direction until the verdict changes finds the cone's axis: the two angles differ by
// twice the axis's own angle in that plane. Needs no threshold and no score.
struct FromVerdicts {
  Feature feature;
  size_t questions;
};
FromVerdicts learn_from_verdicts(const AskVerdict& ask, const Feature& accepted, int halvings);

}  // namespace visage::bench::protection
