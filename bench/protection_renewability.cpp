#include <algorithm>
#include <cmath>
#include <numbers>

#include "accuracy_progress.h"
#include "protection_figures.h"
#include "protection_linkage.h"

namespace visage::bench::protection {
namespace {

constexpr size_t kBits = 1024;
constexpr size_t kThreshold = 1;     // of 1,024 bits in kCodeBits
constexpr size_t kGenerations = 24;  // of every picture
static_assert(kCodeBits[kThreshold] == kBits);

struct Counts {
  size_t trials = 0, accepted = 0, replays = 0, opened = 0;
  double highest = -1;
  Distances distances;
};

// Generations of one subject, all from one picture: what the system forbids, and the most alike they can be.
void one_subject(Setting& setting, size_t face, Counts& counts) {
  const probe::Contents& contents = setting.faces.contents(face);
  std::vector<Record> records = {setting.bank.enrol(contents, kBits)};
  while (records.size() < kGenerations) records.push_back(setting.bank.renew(records.back(), contents));
  std::vector<reference::Opened> opened;
  for (const Record& record : records) opened.push_back(setting.bank.open(record));

  // The live picture rotated under the renewed seed against the old code: the stolen code put to use.
  std::vector<float> rotated(kBits);
  for (size_t live = 0; live < kGenerations; ++live) {
    reference::rotate(contents.feature, contents.dimension, kBits, opened[live].masks, rotated.data());
    for (size_t old = 0; old < kGenerations; ++old) {
      if (old == live) continue;
      const double score = reference::asymmetric_score(opened[old].code, rotated.data(), kBits) *
                           std::sqrt(std::numbers::pi / 2);
      ++counts.trials;
      counts.accepted += score >= setting.thresholds.hidden[kThreshold];
      counts.highest = std::max(counts.highest, score);
    }
  }
  // Disjoint pairs, so that the distances are independent.
  for (size_t i = 0; i + 1 < kGenerations; i += 2) {
    counts.distances.add(hamming(records[i].code_bytes(opened[i]), records[i + 1].code_bytes(opened[i + 1])));
    ++counts.replays;
    counts.opened += setting.bank.opens(records[i + 1], records[i].envelope);
  }
}

}  // namespace

void report_renewability(Setting& setting) {
  const std::vector<size_t> pictures = faces_of(setting.faces.attacked);
  Counts counts;
  {
    Progress progress("renewals", pictures.size());
    for (const size_t face : pictures) {
      one_subject(setting, face, counts);
      progress.step();
    }
  }
  const Distances& distances = counts.distances;
  print(
      "renewed_accept_rate", static_cast<double>(counts.accepted) / static_cast<double>(counts.trials),
      "ratio", "<= 1e-5", counts.trials,
      text(
          "old code under the renewed seed, the same picture as the probe, threshold %.4f (FMR 1e-5): %zu of "
          "%zu accepted, at most %.3g (upper 95 %% bound); highest score %.3f",
          setting.thresholds.hidden[kThreshold], counts.accepted, counts.trials,
          upper_bound(counts.accepted, counts.trials), counts.highest));
  print("renewed_open_rate", static_cast<double>(counts.opened) / static_cast<double>(counts.replays),
        "ratio", "0", counts.replays,
        text("old envelopes put into the renewed row: %zu of %zu opened, at most %.3g (upper 95 %% bound)",
             counts.opened, counts.replays, upper_bound(counts.opened, counts.replays)));
  print(
      "degrees_of_freedom", distances.degrees_of_freedom(), "bits", "", distances.n(),
      text("p(1-p)/s^2 of the Hamming distance of renewed codes of one picture, mean p = %.5f, s = %.5f; m = "
           "%zu; standard error of the estimate %.1f",
           distances.mean(), std::sqrt(distances.variance()), kBits,
           distances.degrees_of_freedom() * std::sqrt(2 / static_cast<double>(distances.n()))));
}

}  // namespace visage::bench::protection
