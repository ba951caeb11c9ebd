#include "sidecar/page/advice.h"

#include <algorithm>

#include "sidecar/quality/profile.h"

namespace visage::sidecar::page {
namespace {

constexpr std::string_view kProfile = "iifaa";
constexpr size_t kMostAtOnce = 2;  // nobody follows more
// As capture::Options::bystander_ratio: what a registration would refuse with SEVERAL_FACES.
constexpr float kBystander = 0.1f;

// Who and where comes before how: light and sharpness mean little while the face is too far away.
constexpr std::string_view kOrder[] = {"one-person",   "come-closer",   "whole-face",   "look-here",
                                       "face-camera",  "head-upright",  "more-light",   "less-light",
                                       "even-light",   "white-light",   "better-light", "uncover-face",
                                       "uncover-eyes", "uncover-mouth", "no-glare",     "open-eyes",
                                       "close-mouth",  "neutral-face",  "hold-still"};

size_t rank(std::string_view advice) {
  return static_cast<size_t>(std::find(std::begin(kOrder), std::end(kOrder), advice) - std::begin(kOrder));
}

}  // namespace

std::vector<std::string_view> advise(const capture::Inspection& seen, bool alone) {
  const quality::Judgement judgement = quality::judge(seen.readings, *quality::find_profile(kProfile));
  std::vector<std::string_view> all;
  const auto add = [&](std::string_view advice) {
    if (std::find(all.begin(), all.end(), advice) == all.end()) all.push_back(advice);
  };
  for (const quality::Check& check : judgement.checks) {
    const bool doubled = check.definition->id == probe::Measure::kSingleFacePresent && alone &&
                         check.reading.assessed && check.reading.native >= kBystander;
    const bool unknown =
        check.verdict == quality::Verdict::kUndetermined && check.limit != nullptr && check.limit->required;
    if (check.verdict == quality::Verdict::kFail || unknown || doubled) add(check.definition->advice);
  }
  std::stable_sort(all.begin(), all.end(), [](auto a, auto b) { return rank(a) < rank(b); });
  if (all.size() > kMostAtOnce) all.resize(kMostAtOnce);
  return all;
}

}  // namespace visage::sidecar::page
