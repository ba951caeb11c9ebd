#include "core/challenge/challenge.h"

#include <algorithm>

namespace visage::challenge {

Status parse(std::string_view text, Challenge& out) {
  out.count = 0;
  while (!text.empty()) {
    const std::string_view step = text.substr(0, text.find(','));
    const auto found = std::find(kWords.begin(), kWords.end(), step);
    if (found == kWords.end())
      return Status::error(Code::kMalformed, "a challenge asks for no such movement");
    const auto movement = static_cast<Movement>(found - kWords.begin());
    const auto end = out.steps.begin() + static_cast<long>(out.count);
    if (std::find(out.steps.begin(), end, movement) != end)
      return Status::error(Code::kMalformed, "a challenge asks for a movement twice");
    out.steps[out.count++] = movement;
    if (step.size() + 1 == text.size())
      return Status::error(Code::kMalformed, "a challenge ends with a comma");
    text.remove_prefix(std::min(step.size() + 1, text.size()));
  }
  return {};
}

}  // namespace visage::challenge
