// Protocols: who claims to be whom with which pictures; and the scores of all attempts.
#pragma once

#include <functional>

#include "accuracy_scores.h"
#include "accuracy_templates.h"

namespace visage::bench {

// One side of an attempt: the references of a subject, or the frames of a probe.
struct Side {
  uint32_t person;
  std::vector<uint32_t> pictures;
};

struct Trials {
  std::vector<Side> claims, probes;
  bool unordered = false;  // claims and probes are the same list; pairs of it, not ordered ones
  uint64_t repeats = 2;    // see Scores
};

// Every picture against every other.
Trials every_pair(const Dataset& dataset, bool unordered);
// `size` neighbouring pictures of a person, for every person with at least `least` of them; cyclic, so each
// picture is in `size` of them.
std::vector<Side> groups_of(const Dataset& dataset, size_t size, size_t least);

// One vector a probe: the mean of its frames, of unit length again.
Vectors average_frames(const std::vector<Side>& probes, const Vectors& features);

// score(claim, probe), for sides whose pictures all have features. Of sides that share a picture nothing is
// made.
using Score = std::function<float(size_t, size_t)>;
bool score_trials(const char* what, const Trials& trials, size_t people, const Vectors& features,
                  const Score& score, Scores& out);

}  // namespace visage::bench
