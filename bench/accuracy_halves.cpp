#include "accuracy_halves.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "accuracy_format.h"
#include "accuracy_print.h"
#include "json_line.h"

namespace visage::bench {
namespace {

constexpr uint64_t kSplitSeed = 2;
constexpr uint64_t kBootstrapSeed = 3;

struct Halves {
  Weights a, b;
};

Halves split(size_t people) {
  std::vector<size_t> order(people);
  std::iota(order.begin(), order.end(), size_t{0});
  std::mt19937_64 random(kSplitSeed);
  std::shuffle(order.begin(), order.end(), random);
  Halves out{Weights(people, 0), Weights(people, 0)};
  for (size_t i = 0; i < people; ++i) (i < people / 2 ? out.a : out.b)[order[i]] = 1;
  return out;
}

struct Crossed {
  double threshold_a, threshold_b;  // set by a and by b
  Counts on_b, on_a;                // measured on the other
  Counts both() const {
    return {on_a.accepts + on_b.accepts, on_a.impostors + on_b.impostors, on_a.rejects + on_b.rejects,
            on_a.genuine + on_b.genuine};
  }
};

Crossed cross(const Scores& scores, double far, const Halves& halves) {
  Crossed out;
  out.threshold_a = threshold_at(scores, far, halves.a);
  out.threshold_b = threshold_at(scores, far, halves.b);
  out.on_b = count_at(scores, out.threshold_a, halves.b);
  out.on_a = count_at(scores, out.threshold_b, halves.a);
  return out;
}

// A rate where at least 30 errors support it, and else its bound.
void print_either(const std::string& name, double rate, double errors, double bound, double n,
                  const std::string& note) {
  const bool supported = errors >= kRuleOf30;
  print_metric((name + (supported ? "" : "_bound")).c_str(), supported ? rate : bound, "ratio", "",
               static_cast<long long>(n),
               ((supported ? "" : "a bound, not a rate: too few errors (rule of 30); ") + note).c_str());
}

void print_far(const Scores& scores, const Far& far, const Halves& halves) {
  const Crossed crossed = cross(scores, far.rate, halves);
  const Counts both = crossed.both();
  const auto repeats = static_cast<double>(scores.repeats);
  const double expected = far.rate * std::min(crossed.on_a.impostors, crossed.on_b.impostors) / repeats;
  if (expected < kRuleOf30) {
    std::fprintf(stderr, "halves: FAR %s is not supported, %.0f impostor pairs are expected in one\n",
                 far.name, expected);
    return;
  }
  std::mt19937_64 random(kBootstrapSeed);
  std::vector<double> fars, frrs;
  for (int round = 0; round < kRounds; ++round) {
    const Halves resampled{resample(halves.a, random), resample(halves.b, random)};
    const Counts counts = cross(scores, far.rate, resampled).both();
    fars.push_back(counts.far());
    frrs.push_back(counts.frr());
  }
  const Interval far_interval = interval_of(fars), frr_interval = interval_of(frrs);
  const std::string protocol = format(
      "reference of 1024 bits against picture; thresholds %.4f and %.4f, each from one half of %zu people "
      "and "
      "used on the other; 95 %% bootstrap over people in both halves, %d rounds: ",
      crossed.threshold_a, crossed.threshold_b, scores.people(), kRounds);
  print_either(
      std::string("accuracy.far_other_half_at_") + far.name, both.far(), both.accepts / repeats,
      std::max(far_interval.high,
               poisson_limit(std::round(both.accepts / repeats)) * repeats / both.impostors),
      both.impostors,
      protocol + format("%.2g to %.2g; %.2g and %.2g on the halves, %.0f attempts accepted", far_interval.low,
                        far_interval.high, crossed.on_b.far(), crossed.on_a.far(), both.accepts));
  print_either(
      std::string("accuracy.frr_other_half_at_far_") + far.name, both.frr(), both.rejects / repeats,
      std::max(frr_interval.high, poisson_limit(std::round(both.rejects / repeats)) * repeats / both.genuine),
      both.genuine,
      protocol + format("%.4f to %.4f; %.4f and %.4f on the halves, %.0f attempts rejected", frr_interval.low,
                        frr_interval.high, crossed.on_b.frr(), crossed.on_a.frr(), both.rejects));
}

}  // namespace

void print_halves(const Scores& scores) {
  const Halves halves = split(scores.people());
  for (const Far& far : kFars)
    if (far.rate == 1e-5 || far.rate == 1e-4) print_far(scores, far, halves);
}

}  // namespace visage::bench
