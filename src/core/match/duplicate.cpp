#include "core/match/duplicate.h"

#include <iterator>

namespace visage::match {
namespace {

constexpr std::string_view kActions[] = {"off", "allow", "flag", "refuse"};
static_assert(std::size(kActions) == static_cast<size_t>(DuplicateAction::kCount));

}  // namespace

bool find_action(std::string_view label, DuplicateAction& out) {
  for (size_t i = 0; i < std::size(kActions); ++i)
    if (kActions[i] == label) {
      out = static_cast<DuplicateAction>(i);
      return true;
    }
  return false;
}

double search_fmr(double fpir, uint64_t compared) {
  return compared == 0 ? 0 : fpir / static_cast<double>(compared);
}

DuplicateFinding find_duplicate(const DuplicateSearch& search) {
  if (search.compared > 0 && search.calibrated && search.best >= search.threshold)
    return DuplicateFinding::kDuplicate;
  if (!search.complete || (search.compared > 0 && !search.calibrated)) return DuplicateFinding::kUndetermined;
  return DuplicateFinding::kNone;
}

DuplicateRuling rule_on(DuplicateFinding finding, DuplicateAction on_duplicate,
                        DuplicateAction when_undetermined, bool excused) {
  if (finding == DuplicateFinding::kNone) return {true, false, false};
  const DuplicateAction action = finding == DuplicateFinding::kDuplicate ? on_duplicate : when_undetermined;
  if (action == DuplicateAction::kOff || action == DuplicateAction::kAllow) return {true, false, false};
  if (action == DuplicateAction::kFlag) return {true, true, false};
  return {excused, finding == DuplicateFinding::kDuplicate || excused, excused};
}

}  // namespace visage::match
