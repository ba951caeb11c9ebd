// Each protocol from its attempts to its JSON lines.
#pragma once

#include <optional>

#include "accuracy_print.h"
#include "accuracy_trials.h"

namespace visage::bench {

// What every protocol starts from.
struct Sample {
  const Dataset& dataset;
  const Features& features;
  Vectors vectors;  // of the features
};

struct Measured {
  Scores scores;
  std::vector<Rate> rates;  // one a rate of kFars
};

// Each returns nothing, or false, when a comparison failed.

// Two features, every unordered pair.
std::optional<Measured> measure_plain(const Sample& sample);
// Reference against picture, stolen-token: the only protocol that thresholds come from.
std::optional<Measured> measure_protected(const Sample& sample, const Vectors& templates,
                                          const Printed& what);
// Two-factor: impostors bring their own token. Never for thresholds.
bool measure_two_factor(const Sample& sample, const Vectors& templates, size_t code_bits);
// One, two and three references a subject, on the same people. `calibrated`: the rates of one reference on
// everybody, whose thresholds the database uses however many references there are.
bool measure_references(const Sample& sample, const Vectors& templates, const std::vector<Rate>& calibrated);
// One, two and three frames averaged into a probe, on the same people.
bool measure_frames(const Sample& sample, const Vectors& templates);

}  // namespace visage::bench
