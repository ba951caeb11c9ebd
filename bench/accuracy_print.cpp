#include "accuracy_print.h"

#include <cmath>

#include "accuracy_format.h"
#include "json_line.h"

namespace visage::bench {
namespace {

// Without support for the false accept rate: the least threshold whose Poisson limit keeps it, and what the
// false reject rate there is not above.
void print_bound_of_both(const Printed& what, const Scores& scores, const Far& far, const Rate& rate) {
  const auto repeats = static_cast<double>(scores.repeats);
  const double pairs = rate.counts.impostors / repeats;
  double allowed = -1;
  while (poisson_limit(allowed + 1) <= far.rate * pairs) ++allowed;
  if (allowed < 0) {
    std::fprintf(stderr, "%s: %.0f impostor pairs do not even bound FAR %s\n", what.kind.c_str(), pairs,
                 far.name);
    return;
  }
  const Weights all(scores.people(), 1);
  const Rate there = rate_at(scores, threshold_for(scores, allowed * repeats, all));
  print_metric(
      ("accuracy.frr_" + what.kind + "_at_far_" + far.name + "_bound").c_str(), frr_bound(scores, there),
      "ratio", "", static_cast<long long>(rate.counts.genuine),
      format("a bound, not a rate: %.0f impostor pairs do not support FAR %s (rule of 30). At threshold "
             "%.4f, where %.0f are accepted, the 95 %% limit of FAR is %.2g were pairs independent, and "
             "FRR is %.4f with the value as its upper end",
             pairs, far.name, there.threshold, there.counts.accepts / repeats,
             poisson_limit(std::round(there.counts.accepts / repeats)) / pairs, there.counts.frr())
          .c_str());
}

void print_rate(const Printed& what, const Scores& scores, const Far& far, const Rate& rate) {
  const std::string name = "accuracy.frr_" + what.kind + "_at_far_" + far.name;
  const std::string note = format("threshold %.4f; ", rate.threshold) + sizes_of(scores, rate) +
                           (what.note.empty() ? "" : "; " + what.note);
  const auto genuine = static_cast<long long>(rate.counts.genuine);
  if (rate.frr_supported)
    print_metric(name.c_str(), rate.counts.frr(), "ratio", far.rate == 1e-5 ? what.target.c_str() : "",
                 genuine, note.c_str());
  else
    print_metric((name + "_bound").c_str(), frr_bound(scores, rate), "ratio", "", genuine,
                 ("a bound, not a rate: too few errors (rule of 30); " + note).c_str());
  if (what.thresholds)
    print_metric(("accuracy.threshold_" + what.kind + "_at_far_" + far.name).c_str(), rate.threshold,
                 "cosine", "", static_cast<long long>(rate.counts.impostors),
                 what.note.empty() ? "for visage.calibration" : what.note.c_str());
}

}  // namespace

std::string sizes_of(const Scores& scores, const Rate& rate) {
  const char* unit = scores.unordered ? "pairs" : "attempts";
  return format(
      "%.0f of %.0f genuine %s rejected, %.0f of %.0f impostor %s accepted; 95 %% bootstrap over %zu "
      "people, %d rounds: %.4f to %.4f",
      rate.counts.rejects, rate.counts.genuine, unit, rate.counts.accepts, rate.counts.impostors, unit,
      scores.people(), kRounds, rate.frr.low, rate.frr.high);
}

std::vector<Rate> print_rates(const Printed& what, const Scores& scores) {
  std::vector<double> fars;
  for (const Far& far : kFars) fars.push_back(far.rate);
  std::vector<Rate> all = rates(scores, fars);
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].far < what.lowest) continue;
    if (all[i].far_supported)
      print_rate(what, scores, kFars[i], all[i]);
    else
      print_bound_of_both(what, scores, kFars[i], all[i]);
  }
  return all;
}

}  // namespace visage::bench
