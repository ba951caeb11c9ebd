// All pairs of a dataset, scored by the comparisons that the database runs.
#pragma once

#include "accuracy_dataset.h"
#include "accuracy_features.h"
#include "accuracy_rates.h"

namespace visage::bench {

// Cosine of the features: every unordered pair.
bool score_plain(const Dataset& dataset, const Features& features, Scores& out);

// RFR-1 in the stolen-token protocol, which is what the server does: every picture is protected as a
// reference of its person, and every other picture is a probe against it, rotated under the reference's own
// seed; every ordered pair. One comparison a reference is repeated through match::compare(), envelope and
// all, and must give the same.
bool score_protected(const Dataset& dataset, const Features& features, Scores& out);

}  // namespace visage::bench
