// One person, one id (T/IIFAA 3001.1 6.2c): what a search of the store means for a registration.
#pragma once

#include <cstdint>
#include <string_view>

namespace visage::match {

// In ascending order of strictness. Labels are those of visage.duplicate_policy.
enum class DuplicateAction : uint8_t { kOff, kAllow, kFlag, kRefuse, kCount };
bool find_action(std::string_view label, DuplicateAction& out);

// False match rate that each of `compared` comparisons must keep, for the search to find somebody who is not
// there (false positive identification, ISO/IEC 2382-37) no more often than `fpir`: by the union bound, which
// asks for no independence. 0 when nothing was compared.
double search_fmr(double fpir, uint64_t compared);

enum class DuplicateFinding : uint8_t { kNone, kDuplicate, kUndetermined };

// `threshold` is that of search_fmr(); it counts when `calibrated`. A search that is not complete has found
// whom it has found, and says nothing of the others.
struct DuplicateSearch {
  bool complete;
  bool calibrated;
  uint64_t compared;
  double best;  // valid when compared > 0
  double threshold;
};
DuplicateFinding find_duplicate(const DuplicateSearch& search);

struct DuplicateRuling {
  bool registers;
  bool opens_finding;  // for people to review
  bool uses_allowance;
};
// `excused`: two people have allowed this one registration.
DuplicateRuling rule_on(DuplicateFinding finding, DuplicateAction on_duplicate,
                        DuplicateAction when_undetermined, bool excused);

}  // namespace visage::match
