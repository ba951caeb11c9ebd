// Error rates from scores: thresholds at a false accept rate, the false reject rate there, and how sure they
// are.
//
// Pictures without a feature count: every genuine pair with one is a false reject, no impostor pair with one
// is accepted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace visage::bench {

struct Genuine {
  float score;
  uint32_t person;
};
struct Impostor {
  float score;
  uint32_t person, other;
};

struct Scores {
  std::vector<Genuine> genuine;      // every pair
  std::vector<Impostor> impostors;   // at least the highest ones, as many as the largest rate needs
  std::vector<uint64_t> pictures;    // a person
  std::vector<uint64_t> not_scored;  // genuine pairs a person with a picture without a feature
  uint64_t orders = 1;               // 2 when (a, b) and (b, a) are both scored
};

struct Rate {
  double far = 0;
  bool supported = false;  // rule of 30: fewer unordered pairs than that above the threshold support no rate
  double threshold = 0;    // accept when score >= threshold
  double frr = 0;
  double low = 0, high = 0;  // 95 % bootstrap over people: pairs of one person are not independent
  uint64_t genuine_pairs = 0, impostor_pairs = 0, false_accepts = 0, false_rejects = 0;
};

// Sorts the scores. `rounds` resamples of people, each with its own threshold.
std::vector<Rate> rates(Scores& scores, const std::vector<double>& fars, int rounds);

}  // namespace visage::bench
