// Error rates from scores: thresholds at a false accept rate, the false reject rate there, and how sure they
// are.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "accuracy_scores.h"

namespace visage::bench {

// Fewer errors than that, of different pairs of pictures, support no rate (Doddington et al. 2000).
inline constexpr double kRuleOf30 = 30;

// How often each person counts. All ones is the sample itself; a resample with replacement is a bootstrap
// over people, since pairs of one person are not independent; zeros leave people out.
using Weights = std::vector<double>;
// As many people as `from` has, drawn from those that it counts.
Weights resample(const Weights& from, std::mt19937_64& random);

struct Counts {
  double accepts = 0, impostors = 0, rejects = 0, genuine = 0;
  double far() const { return impostors > 0 ? accepts / impostors : 0; }
  double frr() const { return genuine > 0 ? rejects / genuine : 0; }
};

// Accept when score >= threshold. A person's copies are not compared with each other.
Counts count_at(const Scores& scores, double threshold, const Weights& weights);
// The least threshold at which no more than `allowed` impostor attempts are accepted, or a share `far` of
// them.
double threshold_for(const Scores& scores, double allowed, const Weights& weights);
double threshold_at(const Scores& scores, double far, const Weights& weights);

struct Interval {
  double low = 0, high = 0;
};
// Middle 95 % of the values.
Interval interval_of(std::vector<double> values);

struct Rate {
  double far = 0;
  double threshold = 0;
  Counts counts;
  Interval frr;                // 95 %, each resample with its own threshold
  bool far_supported = false;  // at least 30 impostor pairs expected at the rate
  bool frr_supported = false;  // at least 30 genuine pairs rejected
  bool supported() const { return far_supported && frr_supported; }
};

inline constexpr int kRounds = 1000;  // of every bootstrap
std::vector<Rate> rates(const Scores& scores, const std::vector<double>& fars);
// At one threshold in every resample.
Rate rate_at(const Scores& scores, double threshold);

// 95 % upper limit of the mean of a Poisson count; 3.0 for none (rule of three).
double poisson_limit(double count);
// What a false reject rate is not above. With 30 errors or more the end of the interval, or the Poisson limit
// where that is greater. With fewer the Poisson limit of people who were ever rejected: people are
// independent, their pairs are not. Without any error it is the rule of three over people.
double frr_bound(const Scores& scores, const Rate& rate);

}  // namespace visage::bench
