#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "accuracy_progress.h"
#include "protection_figures.h"
#include "protection_oracle.h"

namespace visage::bench::protection {
namespace {

constexpr size_t kBits = 1024;
constexpr size_t kBitsIndex = 1;
static_assert(kCodeBits[kBitsIndex] == kBits);
constexpr double kRecovered = 0.9;                 // cosine from which on a feature counts as recovered
constexpr size_t kSearched = 300, kClimbed = 100;  // targets
constexpr size_t kPicturesPerPerson = 4;           // a few people have hundreds
constexpr int kHalvings = 6;                       // of π, for each edge of the cone: 2.8 degrees

// First pictures of people with more than one, so that a second one can be the attacker's.
std::vector<std::vector<size_t>> targets_of(const Faces& faces, size_t most) {
  std::vector<std::vector<size_t>> targets;
  for (const auto& own : faces.attacked)
    if (own.size() > 1 && targets.size() < most) targets.push_back(own);
  return targets;
}

void report_scores(Setting& setting) {
  const Faces& faces = setting.faces;
  const auto targets = targets_of(faces, kSearched);
  // Of a score at the cosine 0: see docs/formats.md "Score".
  const double variance = (std::numbers::pi / 2 - 1) / static_cast<double>(kBits);
  std::vector<double> until_recovered, until_accepted, exact, rounded;
  size_t recovered_by_all = 0;
  Progress progress("score oracle", targets.size());
  for (const auto& own : targets) {
    const probe::Contents& face = faces.contents(own[0]);
    const Record record = setting.bank.enrol(face, kBits);
    const auto ask = [&](const Feature& probe) { return setting.bank.score(record, probe_of(probe, face)); };
    size_t recovered = 0, accepted = 0;
    double last = 0;
    learn_from_scores(ask, setting.population, variance, [&](size_t questions, const Feature& estimate) {
      last = cosine(estimate, face.feature);
      if (recovered == 0 && last >= kRecovered) recovered = questions;
      // The attacker tries the estimate itself, which is one more question each time.
      if (accepted == 0 && ask(estimate) >= setting.thresholds.hidden[kBitsIndex]) accepted = 2 * questions;
      return false;
    });
    exact.push_back(last);
    recovered_by_all += recovered != 0;
    until_recovered.push_back(recovered != 0 ? static_cast<double>(recovered) : INFINITY);
    until_accepted.push_back(accepted != 0 ? static_cast<double>(accepted) : INFINITY);
    const auto ask_rounded = [&](const Feature& probe) { return std::round(ask(probe) * 100) / 100; };
    learn_from_scores(ask_rounded, setting.population, variance, [&](size_t, const Feature& estimate) {
      last = cosine(estimate, face.feature);
      return false;
    });
    rounded.push_back(last);
    progress.step();
  }
  const size_t n = targets.size();
  print("oracle_queries", median(until_recovered), "questions", "", n,
        text("L4 with raw scores, no key, along the axes of the population: until the feature is recovered "
             "to a cosine of %.1f, median; %zu of %zu are within %zu questions",
             kRecovered, recovered_by_all, n, faces.dimension));
  print("oracle_queries_accepted", median(until_accepted), "questions", "", n,
        "until that reference accepts the guess at FMR 1e-5, median; every second question tries the guess");
  print("oracle_cosine", median(exact), "cosine", "", n,
        text("after %zu questions, median", faces.dimension));
  print("oracle_cosine_rounded", median(rounded), "cosine", "", n,
        "the same with scores rounded to two decimals: rounding is no protection");
}

// The first thing to try without any key: the face that is like everybody's.
void report_mean_face(Setting& setting) {
  Values accepted;
  for (const auto& own : setting.faces.attacked)
    for (size_t i = 0; i < std::min(own.size(), kPicturesPerPerson); ++i) {
      const probe::Contents& contents = setting.faces.contents(own[i]);
      const Record record = setting.bank.enrol(contents, kBits);
      const double score = setting.bank.score(record, probe_of(setting.population.mean, contents));
      accepted.add(score >= setting.thresholds.hidden[kBitsIndex], setting.faces.all[own[i]].person);
    }
  const Mean rate = mean_of(accepted);
  std::set<size_t> people;
  for (size_t i = 0; i < accepted.value.size(); ++i)
    if (accepted.value[i] > 0) people.insert(accepted.person[i]);
  print("oracle_mean_face", rate.mean, "ratio", "", rate.n,
        text("share of references that accept the mean face of the other half of the people as a probe, "
             "at the threshold %.4f, FMR 1e-5 of real faces: %.0f of %zu, of %zu people among %zu, "
             "95 %% bootstrap over people %.5f to %.5f",
             setting.thresholds.hidden[kBitsIndex], rate.mean * static_cast<double>(rate.n), rate.n,
             people.size(), rate.people, rate.low, rate.high));
}

struct Climb {
  std::vector<double> cosines, questions;
};

void climb(const AskVerdict& ask, const Feature& start, const float* original, Climb& out) {
  const FromVerdicts found = learn_from_verdicts(ask, start, kHalvings);
  out.cosines.push_back(cosine(found.feature, original));
  out.questions.push_back(static_cast<double>(found.questions));
}

void report_verdicts(Setting& setting) {
  const Faces& faces = setting.faces;
  const std::vector<size_t> known = faces_of(faces.known);
  const auto targets = targets_of(faces, kSearched);
  const double threshold = setting.thresholds.hidden[kBitsIndex];
  const auto unit = [&](size_t face) {
    return Feature(faces.feature(face), faces.feature(face) + faces.dimension);
  };
  size_t tries = 0, accepted = 0, broken = 0;
  Climb from_stranger, from_photo;
  Progress progress("verdict oracle", targets.size());
  for (size_t t = 0; t < targets.size(); ++t) {
    const probe::Contents& face = faces.contents(targets[t][0]);
    const Record record = setting.bank.enrol(face, kBits);
    const auto ask = [&](const Feature& probe) {
      return setting.bank.score(record, probe_of(probe, face)) >= threshold;
    };
    bool first = true;
    for (const size_t stranger : known) {
      ++tries;
      if (setting.bank.score(record, faces.contents(stranger)) < threshold) continue;
      ++accepted;
      if (first) climb(ask, unit(stranger), face.feature, from_stranger);
      broken += first;
      first = false;
    }
    const Feature photo = unit(targets[t][1]);
    if (from_photo.cosines.size() < kClimbed && ask(photo)) climb(ask, photo, face.feature, from_photo);
    progress.step();
  }
  print("oracle_search_broken", static_cast<double>(broken) / static_cast<double>(targets.size()), "ratio",
        "", targets.size(),
        text("accept or reject only, threshold %.4f (FMR 1e-5): share of references that accepted one of %zu "
             "strangers; %zu of %zu tries accepted, all were made",
             threshold, known.size(), accepted, tries));
  print("oracle_verdicts", median(from_photo.questions), "questions", "", from_photo.questions.size(),
        text("accept or reject only, from one accepted probe (another picture of the person) to the feature: "
             "%d questions for each of two edges along %zu directions",
             kHalvings, faces.dimension - 1));
  print("oracle_verdicts_cosine", median(from_photo.cosines), "cosine", "", from_photo.cosines.size(),
        "of the feature so found with the enrolled one, median");
  if (!from_stranger.cosines.empty())
    print("oracle_verdicts_stranger_cosine", median(from_stranger.cosines), "cosine", "",
          from_stranger.cosines.size(), "the same from a stranger who was accepted, median");
}

}  // namespace

void report_oracle(Setting& setting) {
  report_scores(setting);
  report_mean_face(setting);
  report_verdicts(setting);
}

}  // namespace visage::bench::protection
