// Scores of all attempts of a protocol, and what rates need to know of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
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

// Counts of scores in bins of 0.0005; what lies outside is counted in the outermost ones.
class Histogram {
 public:
  static constexpr size_t kBins = 6400;
  static constexpr double kLow = -1.6, kHigh = 1.6, kWidth = (kHigh - kLow) / kBins;

  void add(float score) {
    const double at = (static_cast<double>(score) - kLow) / kWidth;
    ++counts_[at <= 0 ? 0 : at >= kBins ? kBins - 1 : static_cast<size_t>(at)];
  }
  void add(const Histogram& other) {
    for (size_t i = 0; i < kBins; ++i) counts_[i] += other.counts_[i];
  }
  uint64_t operator[](size_t bin) const { return counts_[bin]; }
  static double low_edge(size_t bin) { return kLow + kWidth * static_cast<double>(bin); }

 private:
  std::array<uint64_t, kBins> counts_{};
};

// Attempts with a picture without a feature count: every genuine one is a false reject, no impostor's is
// accepted.
struct Scores {
  std::vector<Genuine> genuine;     // every attempt, ascending
  std::vector<Impostor> impostors;  // the highest ones, descending; as many as the largest rate needs
  Histogram genuine_counts, impostor_counts;
  // By person: what may be claimed, what may be presented, genuine attempts, and those that have no score.
  std::vector<uint64_t> claims, probes, genuine_attempts, not_scored;
  bool unordered = false;  // (a, b) and (b, a) are one attempt
  // In how many attempts the same two pictures may meet. The rule of 30 counts pairs of pictures.
  uint64_t repeats = 1;

  size_t people() const { return claims.size(); }
};

}  // namespace visage::bench
