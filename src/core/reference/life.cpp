#include "core/reference/life.h"

namespace visage::reference {
namespace {

// The highest score among those that `wanted` takes; false when it takes none.
template <typename Wanted>
bool find_best(std::span<const Compared> references, Wanted wanted, size_t& best) {
  bool found = false;
  for (size_t i = 0; i < references.size(); ++i) {
    if (!references[i].comparable || !wanted(references[i])) continue;
    if (found && !(references[i].score > references[best].score)) continue;
    best = i;
    found = true;
  }
  return found;
}

}  // namespace

double deciding_score(std::span<const Compared> references, bool has_anchor, double anchor) {
  size_t best = 0;
  size_t original = 0;
  if (!find_best(
          references, [](const Compared& reference) { return !reference.adapted; }, original))
    return -1;
  (void)find_best(
      references, [](const Compared&) { return true; }, best);
  if (references[best].adapted && has_anchor && references[original].score >= anchor)
    return references[best].score;
  return references[original].score;
}

Plan plan_renewal(std::span<const Compared> references, const Guards& guards) {
  Plan plan = {Renewal::kNone, 0, false, 0};
  if (!guards.reaches_floors || !guards.has_strict) return plan;
  const auto original = [](const Compared& reference) { return !reference.adapted; };
  const auto outdated = [](const Compared& reference) { return !reference.adapted && reference.outdated; };
  if (guards.reprotects && find_best(references, outdated, plan.anchor) &&
      references[plan.anchor].score >= guards.strict) {
    plan.what = Renewal::kReprotect;
    return plan;
  }
  if (!guards.adapts || !guards.has_anchor) return plan;
  size_t best = 0;
  if (!find_best(
          references, [](const Compared&) { return true; }, best) ||
      !(references[best].score >= guards.strict))
    return plan;
  if (!find_best(references, original, plan.anchor) || !(references[plan.anchor].score >= guards.anchor))
    return plan;
  for (size_t i = 0; i < references.size(); ++i) {
    if (!references[i].adapted || !references[i].comparable) continue;
    if (references[i].made_at >= guards.adapted_before) return plan;
    plan.has_adapted = true;
    plan.adapted = i;
  }
  plan.what = Renewal::kAdapt;
  return plan;
}

}  // namespace visage::reference
