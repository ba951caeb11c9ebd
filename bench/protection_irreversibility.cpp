#include <algorithm>

#include "accuracy_progress.h"
#include "protection_figures.h"

namespace visage::bench::protection {
namespace {

constexpr size_t kDefaultBits = 1024;
constexpr size_t kTargetsPerPerson = 4;  // a few people have hundreds of pictures

// One enrolled picture, and another of the same person that nobody but the system has seen.
struct Target {
  size_t face, fresh;
};

std::vector<Target> targets_of(const Faces& faces) {
  std::vector<Target> targets;
  for (const auto& own : faces.attacked)
    for (size_t i = 0; own.size() > 1 && i < std::min(own.size(), kTargetsPerPerson); ++i)
      targets.push_back({own[i], own[(i + 1) % own.size()]});
  return targets;
}

// How close the attacker's feature comes, and what accepts it.
struct Outcome {
  Values cosine, same, renewed, unprotected;
};

struct Doors {
  const Record& same;     // the reference that was stolen; of several, the last
  const Record& renewed;  // the same person's next one, from the fresh picture
  size_t bits_index;
};

void attempt(Setting& setting, const Feature& guess, const Target& target, const Doors& doors, Outcome& out) {
  const Faces& faces = setting.faces;
  const size_t person = faces.all[target.face].person;
  const probe::Contents probe = probe_of(guess, faces.contents(target.face));
  const double threshold = setting.thresholds.hidden[doors.bits_index];
  out.cosine.add(cosine(guess, faces.feature(target.face)), person);
  out.same.add(setting.bank.score(doors.same, probe) >= threshold, person);
  out.renewed.add(setting.bank.score(doors.renewed, probe) >= threshold, person);
  out.unprotected.add(cosine(guess, faces.feature(target.fresh)) >= setting.thresholds.plain, person);
}

// A bootstrap of equal values has no width: the rule of three over people bounds them instead.
std::string interval(const Mean& mean) {
  const std::string sizes = text("%zu targets, %zu people, ", mean.n, mean.people);
  const double bound = 3 / static_cast<double>(mean.people);
  if (mean.low < mean.high)
    return sizes + text("95 %% bootstrap over people %.4f to %.4f", mean.low, mean.high);
  if (mean.mean == 0) return sizes + text("none: at most %.4f (95 %%, rule of three over people)", bound);
  return sizes + text("all: at least %.4f (95 %%, rule of three over people)", 1 - bound);
}

// The rate's own threshold is in its note, as the rate means nothing without it.
void print_accepts(const std::string& name, const Setting& setting, size_t bits_index,
                   const Outcome& outcome) {
  const auto rate = [&](const char* door, const Values& values, double threshold, const char* what) {
    const Mean mean = mean_of(values);
    print("accept_" + name + "_" + door, mean.mean, "ratio", "", mean.n,
          text("%s; threshold %.4f (FMR 1e-5); %s", what, threshold, interval(mean).c_str()));
  };
  const double hidden = setting.thresholds.hidden[bits_index];
  rate("same", outcome.same, hidden, "by the enrolled reference itself");
  rate("renewed", outcome.renewed, hidden, "by the person's renewed reference, from another picture");
  rate("unprotected", outcome.unprotected, setting.thresholds.plain,
       "by a system without protection that enrolled another picture");
}

void print_outcome(const std::string& name, const Setting& setting, size_t bits_index, const Outcome& outcome,
                   const std::string& what) {
  const Mean mean = mean_of(outcome.cosine);
  print("cosine_" + name, mean.mean, "cosine", "", mean.n, what + "; " + interval(mean));
  print_accepts(name, setting, bits_index, outcome);
}

Feature unit_feature(const Faces& faces, size_t face) {
  return {faces.feature(face), faces.feature(face) + faces.dimension};
}

void report_levels(Setting& setting, const std::vector<Target>& targets, size_t bits_index,
                   Figures& figures) {
  const size_t bits = kCodeBits[bits_index];
  const Faces& faces = setting.faces;
  const std::vector<size_t> known = faces_of(faces.known);
  std::uniform_int_distribution<size_t> pick(0, known.size() - 1);
  Outcome random_face, typical, guessed_root, back, expected, plain_theft, genuine;
  Progress progress(text("targets, m = %zu", bits), targets.size());
  for (const Target& target : targets) {
    const Record record = setting.bank.enrol(faces.contents(target.face), bits);
    const Record renewed = setting.bank.renew(record, faces.contents(target.fresh));
    const Doors doors{record, renewed, bits_index};
    const reference::Opened opened = setting.bank.open(record);
    reference::Opened guess = opened;  // the code, and masks of a guessed transform root
    setting.bank.random(guess.masks);
    const Stolen right{&opened, bits}, wrong{&guess, bits};
    attempt(setting, unit_feature(faces, known[pick(setting.random)]), target, doors, random_face);
    attempt(setting, setting.population.mean, target, doors, typical);
    attempt(setting, back_project({&wrong, 1}, faces.dimension), target, doors, guessed_root);
    attempt(setting, back_project({&right, 1}, faces.dimension), target, doors, back);
    attempt(setting, expected_feature({&right, 1}, setting.population), target, doors, expected);
    attempt(setting, unit_feature(faces, target.face), target, doors, plain_theft);
    attempt(setting, unit_feature(faces, target.fresh), target, doors, genuine);
    progress.step();
  }
  const std::string suffix = bits == kDefaultBits ? "" : text("_m%zu", bits);
  const auto level = [&](const char* name, const Outcome& outcome, const char* what) {
    print_outcome(name + suffix, setting, bits_index, outcome, text("%s; m = %zu", what, bits));
    figures.cosines.push_back({name, bits, mean_of(outcome.cosine).mean});
  };
  level("L0", random_face, "no key: any other face as the guess");
  level("L0_mean", typical, "no key: the population's mean face as the guess");
  level("L1", guessed_root, "code without the transform root: back-projection under a guessed one");
  level("L2", back, "both roots: back-projection");
  level("L2_lsq", expected, "both roots: expected feature given the signs and the population's covariance");
  print_accepts("plain_theft" + suffix, setting, bits_index, plain_theft);
  const Mean accepted = mean_of(genuine.same);
  print("accept_genuine" + suffix, accepted.mean, "ratio", "", accepted.n,
        "for comparison: another picture of the person against the reference; " + interval(accepted));
}

// L3: `count` references of one person, each from a capture of its own as the system renews them, or all from
// one capture as it never does.
void report_renewals(Setting& setting, size_t count, bool one_capture, Figures& figures) {
  constexpr size_t kBitsIndex = 1;
  static_assert(kCodeBits[kBitsIndex] == kDefaultBits);
  const Faces& faces = setting.faces;
  Outcome several, single;
  Values held_out;
  Progress progress(text("%zu renewals", count), faces.attacked.size());
  for (const auto& own : faces.attacked) {
    progress.step();
    if (own.size() < (one_capture ? 2 : count + 1)) continue;
    const auto capture = [&](size_t k) { return one_capture ? own[0] : own[k]; };
    const Target target{capture(count - 1), own.back()};
    std::vector<Record> records;
    for (size_t k = 0; k < count; ++k)
      records.push_back(k == 0 ? setting.bank.enrol(faces.contents(capture(0)), kDefaultBits)
                               : setting.bank.renew(records.back(), faces.contents(capture(k))));
    std::vector<reference::Opened> opened;
    for (const Record& record : records) opened.push_back(setting.bank.open(record));
    std::vector<Stolen> stolen;
    for (const reference::Opened& one : opened) stolen.push_back({&one, kDefaultBits});
    Feature guess(faces.dimension, 0);
    if (one_capture)
      guess = expected_feature(stolen, setting.population);
    else
      for (const Stolen& one : stolen) add_unit(guess, expected_feature({&one, 1}, setting.population));
    const Record renewed = setting.bank.renew(records.back(), faces.contents(target.fresh));
    const Doors doors{records.back(), renewed, kBitsIndex};
    attempt(setting, guess, target, doors, several);
    attempt(setting, expected_feature({&stolen.back(), 1}, setting.population), target, doors, single);
    held_out.add(cosine(guess, faces.feature(target.fresh)), faces.all[target.face].person);
  }
  const std::string name = text("L3_%zu%s", count, one_capture ? "_one_capture" : "");
  if (several.cosine.value.empty()) {
    std::fprintf(stderr, "\n%s: nobody has that many pictures\n", name.c_str());
    return;
  }
  print_outcome(
      name, setting, kBitsIndex, several,
      text("both roots, %zu references of one person, %s; cosine with the last one's picture, with a "
           "picture that was never enrolled %.4f; the same people by the last reference alone: cosine "
           "%.4f, accepted by the renewed one %.4f",
           count, one_capture ? "all of one picture (the system never does that)" : "each of its own picture",
           mean_of(held_out).mean, mean_of(single.cosine).mean, mean_of(single.renewed).mean));
  figures.cosines.push_back({name, kDefaultBits, mean_of(several.cosine).mean});
}

}  // namespace

void report_irreversibility(Setting& setting, Figures& figures) {
  const std::vector<Target> targets = targets_of(setting.faces);
  for (size_t k = 0; k < kCodeBits.size(); ++k) report_levels(setting, targets, k, figures);
  for (const size_t count : {2, 4, 8}) report_renewals(setting, count, false, figures);
  for (const size_t count : {2, 4, 8}) report_renewals(setting, count, true, figures);
}

}  // namespace visage::bench::protection
