#include "accuracy_rates.h"

#include <algorithm>
#include <cmath>

namespace visage::bench {
namespace {

constexpr uint64_t kSeed = 20210730;

// Impostor attempts, the sum over pairs of different people.
double impostors_of(const Scores& scores, const Weights& weights) {
  double claims = 0, probes = 0, own = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    const double claim = weights[i] * static_cast<double>(scores.claims[i]);
    const double probe = weights[i] * static_cast<double>(scores.probes[i]);
    claims += claim;
    probes += probe;
    own += claim * probe;
  }
  return (claims * probes - own) / (scores.unordered ? 2 : 1);
}

Rate rate_of(const Scores& scores, double far, double threshold, std::vector<double> samples) {
  Rate rate;
  rate.far = far;
  rate.threshold = threshold;
  rate.counts = count_at(scores, threshold, Weights(scores.people(), 1));
  rate.frr = interval_of(std::move(samples));
  const auto repeats = static_cast<double>(scores.repeats);
  rate.far_supported = far * rate.counts.impostors / repeats >= kRuleOf30;
  rate.frr_supported = rate.counts.rejects / repeats >= kRuleOf30;
  return rate;
}

}  // namespace

Weights resample(const Weights& from, std::mt19937_64& random) {
  std::vector<size_t> people;
  for (size_t i = 0; i < from.size(); ++i)
    if (from[i] > 0) people.push_back(i);
  Weights out(from.size(), 0);
  std::uniform_int_distribution<size_t> pick(0, people.size() - 1);
  for (size_t i = 0; i < people.size(); ++i) out[people[pick(random)]] += 1;
  return out;
}

Counts count_at(const Scores& scores, double threshold, const Weights& weights) {
  Counts out;
  out.impostors = impostors_of(scores, weights);
  for (size_t i = 0; i < weights.size(); ++i) {
    out.genuine += weights[i] * static_cast<double>(scores.genuine_attempts[i]);
    out.rejects += weights[i] * static_cast<double>(scores.not_scored[i]);
  }
  for (const Genuine& attempt : scores.genuine) {
    if (attempt.score >= threshold) break;
    out.rejects += weights[attempt.person];
  }
  for (const Impostor& attempt : scores.impostors) {
    if (attempt.score < threshold) break;
    out.accepts += weights[attempt.person] * weights[attempt.other];
  }
  return out;
}

double threshold_for(const Scores& scores, double allowed, const Weights& weights) {
  double accepted = 0;
  for (const Impostor& attempt : scores.impostors) {
    accepted += weights[attempt.person] * weights[attempt.other];
    if (accepted > allowed) return std::nextafter(attempt.score, 2.0f);
  }
  return -1;
}

double threshold_at(const Scores& scores, double far, const Weights& weights) {
  return threshold_for(scores, far * impostors_of(scores, weights), weights);
}

Interval interval_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[static_cast<size_t>(share * static_cast<double>(values.size()))];
  };
  return {at(0.025), at(0.975)};
}

std::vector<Rate> rates(const Scores& scores, const std::vector<double>& fars) {
  std::vector<std::vector<double>> samples(fars.size());
  std::mt19937_64 random(kSeed);
  const Weights all(scores.people(), 1);
  for (int round = 0; round < kRounds; ++round) {
    const Weights weights = resample(all, random);
    for (size_t i = 0; i < fars.size(); ++i)
      samples[i].push_back(count_at(scores, threshold_at(scores, fars[i], weights), weights).frr());
  }
  std::vector<Rate> out;
  for (size_t i = 0; i < fars.size(); ++i)
    out.push_back(rate_of(scores, fars[i], threshold_at(scores, fars[i], all), std::move(samples[i])));
  return out;
}

Rate rate_at(const Scores& scores, double threshold) {
  std::vector<double> samples;
  std::mt19937_64 random(kSeed);
  const Weights all(scores.people(), 1);
  for (int round = 0; round < kRounds; ++round)
    samples.push_back(count_at(scores, threshold, resample(all, random)).frr());
  return rate_of(scores, count_at(scores, threshold, all).far(), threshold, std::move(samples));
}

double poisson_limit(double count) {
  const auto at_most = [&](double mean) {  // P(X <= count)
    double term = std::exp(-mean), sum = term;
    for (double k = 1; k <= count; ++k) sum += term *= mean / k;
    return sum;
  };
  double low = count, high = count + 10 + 5 * std::sqrt(count);
  for (int step = 0; step < 60; ++step) (at_most((low + high) / 2) > 0.05 ? low : high) = (low + high) / 2;
  return high;
}

double frr_bound(const Scores& scores, const Rate& rate) {
  if (rate.frr_supported) {
    const auto repeats = static_cast<double>(scores.repeats);
    const double limit = poisson_limit(rate.counts.rejects / repeats) * repeats / rate.counts.genuine;
    return std::min(1.0, std::max(limit, rate.frr.high));
  }
  std::vector<bool> rejected(scores.people(), false);
  double people = 0;
  for (size_t i = 0; i < scores.people(); ++i) {
    people += scores.genuine_attempts[i] > 0;
    rejected[i] = scores.not_scored[i] > 0;
  }
  for (const Genuine& attempt : scores.genuine) {
    if (attempt.score >= rate.threshold) break;
    rejected[attempt.person] = true;
  }
  const auto count = static_cast<double>(std::count(rejected.begin(), rejected.end(), true));
  return people > 0 ? std::min(1.0, poisson_limit(count) / people) : 1;
}

}  // namespace visage::bench
