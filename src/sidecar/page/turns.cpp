#include "sidecar/page/turns.h"

namespace visage::sidecar::page {

Turns::Turn Turns::take(const std::string& whose) {
  const std::lock_guard lock(mutex_);
  if (!taken_.insert(whose).second) return {};
  return {this, [whose](Turns* turns) {
            const std::lock_guard lock(turns->mutex_);
            turns->taken_.erase(whose);
          }};
}

}  // namespace visage::sidecar::page
