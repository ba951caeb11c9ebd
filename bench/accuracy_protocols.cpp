#include "accuracy_protocols.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "accuracy_format.h"
#include "core/reference/rotation.h"
#include "json_line.h"

namespace visage::bench {
namespace {

constexpr size_t kMost = 3;  // references or frames
// Everybody who has enough pictures for the most of them and one to compare with: so all figures are of the
// same people.
constexpr size_t kLeastPictures = kMost + 1;

// The best of a subject's references decides, as in match::best_of().
bool score_linear(const char* what, const Sample& sample, const Trials& trials, const Vectors& templates,
                  Scores& out) {
  const Vectors probes = average_frames(trials.probes, sample.vectors);
  const auto best = [&](size_t claim, size_t probe) {
    float score = -2;
    for (const uint32_t picture : trials.claims[claim].pictures)
      score = std::max(score, dot(templates.row(picture), probes.row(probe), probes.width()));
    return score;
  };
  return score_trials(what, trials, sample.dataset.people(), sample.vectors, best, out);
}

std::optional<Measured> measure(const char* what, const Sample& sample, const Trials& trials,
                                const Vectors& templates, const Printed& printed) {
  std::optional<Measured> out(std::in_place);
  if (!score_linear(what, sample, trials, templates, out->scores)) return {};
  out->rates = print_rates(printed, out->scores);
  return out;
}

size_t people_of(const std::vector<Side>& sides) {
  size_t count = 0;
  for (size_t i = 0; i < sides.size(); ++i) count += i == 0 || sides[i].person != sides[i - 1].person;
  return count;
}

// The false accept rate by subject when the threshold of a single reference is kept.
void print_far_at(const std::string& kind, const Scores& scores, const Far& far, double threshold) {
  const Counts counts = count_at(scores, threshold, Weights(scores.people(), 1));
  if (counts.accepts / static_cast<double>(scores.repeats) < kRuleOf30) return;
  print_metric(
      ("accuracy.far_" + kind + "_at_single_threshold_" + far.name).c_str(), counts.far(), "ratio", "",
      static_cast<long long>(counts.impostors),
      format("what the best of them gives at %.4f, the threshold of one reference on everybody; %.0f "
             "attempts accepted",
             threshold, counts.accepts)
          .c_str());
}

}  // namespace

std::optional<Measured> measure_plain(const Sample& sample) {
  return measure("plain comparisons", sample, every_pair(sample.dataset, true), sample.vectors,
                 {.kind = "plain"});
}

std::optional<Measured> measure_protected(const Sample& sample, const Vectors& templates,
                                          const Printed& what) {
  return measure(what.kind.c_str(), sample, every_pair(sample.dataset, false), templates, what);
}

bool measure_two_factor(const Sample& sample, const Vectors& templates, size_t code_bits) {
  OwnSeeds own;
  if (!rotate_under_own_seeds(sample.dataset, sample.features, code_bits, own)) return false;
  const Trials trials = every_pair(sample.dataset, false);
  const double to_cosine = std::sqrt(std::numbers::pi / 2);
  const auto score = [&](size_t claim, size_t probe) {
    const size_t reference = trials.claims[claim].pictures[0], picture = trials.probes[probe].pictures[0];
    if (trials.claims[claim].person == trials.probes[probe].person)
      return dot(templates.row(reference), sample.vectors.row(picture), templates.width());
    return static_cast<float>(
        to_cosine * reference::asymmetric_score(own.codes.data() + reference * code_bits / 8,
                                                own.rotated.data() + picture * code_bits, code_bits));
  };
  Scores scores;
  if (!score_trials("two-factor", trials, sample.dataset.people(), sample.vectors, score, scores))
    return false;
  print_rates({.kind = "two_factor",
               .note = "impostors bring their own token; never used for thresholds",
               .lowest = 1e-5,
               .thresholds = false},
              scores);
  return true;
}

bool measure_references(const Sample& sample, const Vectors& templates, const std::vector<Rate>& calibrated) {
  for (size_t size = 1; size <= kMost; ++size) {
    const std::string kind = "references_" + std::to_string(size);
    Trials trials;
    trials.claims = groups_of(sample.dataset, size, kLeastPictures);
    trials.probes = groups_of(sample.dataset, 1, 1);
    trials.repeats = 2 * size;
    const auto measured =
        measure(kind.c_str(), sample, trials, templates,
                {.kind = kind,
                 .note = format(
                     "best of %zu references of 1024 bits, %zu people with at least %zu pictures, %zu sets "
                     "of references; impostors are all other people",
                     size, people_of(trials.claims), kLeastPictures, trials.claims.size()),
                 .lowest = 1e-5});
    if (!measured) return false;
    for (size_t i = 0; i < calibrated.size(); ++i)
      if (calibrated[i].far == 1e-4 || calibrated[i].far == 1e-5)
        print_far_at(kind, measured->scores, kFars[i], calibrated[i].threshold);
  }
  return true;
}

bool measure_frames(const Sample& sample, const Vectors& templates) {
  for (size_t size = 1; size <= kMost; ++size) {
    const std::string kind = "frames_" + std::to_string(size);
    Trials trials;
    trials.claims = groups_of(sample.dataset, 1, 1);
    trials.probes = groups_of(sample.dataset, size, kLeastPictures);
    trials.repeats = 2 * size;
    const auto measured = measure(
        kind.c_str(), sample, trials, templates,
        {.kind = kind,
         .note = format("probe: mean of %zu pictures against one reference of 1024 bits, %zu people with at "
                        "least %zu pictures, %zu probes; claimed are all people",
                        size, people_of(trials.probes), kLeastPictures, trials.probes.size()),
         .lowest = 1e-5});
    if (!measured) return false;
  }
  return true;
}

}  // namespace visage::bench
