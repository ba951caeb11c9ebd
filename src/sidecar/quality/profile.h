// Profiles: which measures have to lie where for a purpose. Data; what judges is judge().
#pragma once

#include <limits>
#include <vector>

#include "sidecar/quality/measure.h"

namespace visage::quality {

enum class Scale : uint8_t { kNative, kScalar };

inline constexpr float kNoLow = -std::numeric_limits<float>::infinity();
inline constexpr float kNoHigh = std::numeric_limits<float>::infinity();

struct Limit {
  probe::Measure measure;
  Scale scale;
  float low, high;       // both inside are good
  bool required = true;  // an undetermined value then keeps the whole from being good
  // For estimates: past the limit by up to this, nothing can be said.
  float doubt = 0;
};

struct Profile {
  std::string_view name, purpose;
  std::span<const Limit> limits;
};

std::span<const Profile> profiles();
const Profile* find_profile(std::string_view name);

enum class Verdict : uint8_t { kOk, kFail, kUndetermined };
std::string_view verdict_name(Verdict verdict);  // "ok", "fail", "undetermined"

struct Check {
  const Definition* definition;
  Reading reading;
  const Limit* limit;  // null: the profile has none; the value is for information
  Verdict verdict;
};

struct Judgement {
  std::vector<Check> checks;  // one a definition
  Verdict verdict;            // fail when one fails; undetermined when a required one is
};

Judgement judge(const Readings& readings, const Profile& profile);

}  // namespace visage::quality
