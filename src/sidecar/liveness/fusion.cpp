#include "sidecar/liveness/fusion.h"

#include <algorithm>

namespace visage::liveness {
namespace {

constexpr uint8_t kMeasureBase = 0x30;
static_assert(static_cast<uint8_t>(probe::Measure::kLivenessChallenge) ==
              kMeasureBase + static_cast<uint8_t>(Method::kChallenge));
static_assert(static_cast<uint8_t>(probe::Measure::kLivenessTexture) ==
              kMeasureBase + static_cast<uint8_t>(Method::kTexture));

}  // namespace

Outcome fuse(std::span<const Outcome> outcomes, Demand demanded) {
  const Outcome* weakest = nullptr;
  for (const Outcome& outcome : outcomes) {
    if (outcome.verdict == Verdict::kFail) return outcome;
    if (outcome.verdict == Verdict::kPass && (weakest == nullptr || outcome.value < weakest->value))
      weakest = &outcome;
  }
  for (uint8_t i = 0; i < 32; ++i) {
    const auto method = static_cast<Method>(i);
    if (!demanded.has(method)) continue;
    const auto found =
        std::find_if(outcomes.begin(), outcomes.end(), [&](const Outcome& o) { return o.method == method; });
    if (found == outcomes.end()) return undetermined(method, Reason::kTooFewFrames);
    if (found->verdict != Verdict::kPass) return *found;
  }
  return weakest != nullptr ? *weakest : undetermined(Method::kPassive, Reason::kTooFewFrames);
}

void keep(std::span<const Outcome> outcomes, Demand demanded, probe::Contents& out) {
  out.liveness_count = 0;
  const auto measure = [&](probe::Measure id, uint8_t scalar, float value) {
    if (out.quality_count < probe::kMaxQuality) out.quality[out.quality_count++] = {id, scalar, value};
  };
  const auto add = [&](Method method, float value) {
    if (out.liveness_count < probe::kMaxLiveness) out.liveness[out.liveness_count++] = {method, value};
    if (method >= Method::kChallenge && method <= Method::kTexture)
      measure(static_cast<probe::Measure>(kMeasureBase + static_cast<uint8_t>(method)),
              static_cast<uint8_t>(100 * value + 0.5f), value);
  };
  for (const Outcome& outcome : outcomes)
    if (outcome.verdict != Verdict::kUndetermined) add(outcome.method, outcome.value);
  for (uint8_t i = 0; i < 32; ++i) {
    const auto method = static_cast<Method>(i);
    const bool judged = std::any_of(outcomes.begin(), outcomes.end(), [&](const Outcome& o) {
      return o.method == method && o.verdict != Verdict::kUndetermined;
    });
    if (demanded.has(method) && !judged) add(method, 0);
  }
  // A channel that asks for either answer to its session has a floor for this, and none for the two.
  float active = -1;
  for (const Outcome& outcome : outcomes)
    if (outcome.verdict == Verdict::kPass &&
        (outcome.method == Method::kChallenge || outcome.method == Method::kLight))
      active = std::max(active, outcome.value);
  if (active >= 0)
    measure(probe::Measure::kLivenessActive, static_cast<uint8_t>(100 * active + 0.5f), active);
  measure(probe::Measure::kLivenessReason, probe::kScalarUndetermined,
          static_cast<float>(fuse(outcomes, demanded).reason));
}

}  // namespace visage::liveness
