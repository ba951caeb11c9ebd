// Several methods, one verdict.
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "sidecar/liveness/verdict.h"

namespace visage::liveness {

// The methods without which there is no pass. A bit a method.
class Demand {
 public:
  constexpr Demand() = default;
  constexpr Demand(std::initializer_list<Method> methods) {
    for (const Method method : methods) bits_ |= bit(method);
  }
  constexpr bool has(Method method) const { return (bits_ & bit(method)) != 0; }
  constexpr void add(Method method) { bits_ |= bit(method); }

 private:
  static constexpr uint32_t bit(Method method) { return 1u << static_cast<uint8_t>(method); }
  uint32_t bits_ = 0;
};

// Fails when any method fails, demanded or not: each sees attacks that the others miss. Undetermined when a
// demanded one has no verdict. The answer is the outcome that decided.
Outcome fuse(std::span<const Outcome> outcomes, Demand demanded);

// Writes verdicts into a probe, where the database holds them against the channel's floors: each method as
// liveness value and, except the network, as measure (to demand it); and the reason of what decided. A method
// without a verdict is written as 0 when it was demanded, and left out otherwise. Keeps other measures.
void keep(std::span<const Outcome> outcomes, Demand demanded, probe::Contents& out);

}  // namespace visage::liveness
