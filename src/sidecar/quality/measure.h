// The table of all measures: what each is called, what it belongs to, how it is made. No OpenCV here, so that
// everybody can print it.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "sidecar/quality/reading.h"

namespace visage::quality {

struct Definition {
  probe::Measure id;
  std::string_view name;    // of ISO/IEC 29794-5 where it has one; as in visage.measure
  std::string_view unit;    // of the native value
  std::string_view clause;  // of T/IIFAA 3001.1 that asks for it; empty for those that only OFIQ has
  std::string_view method;  // what gives the value
  std::string_view advice;  // key of the words that tell a person what to change
};

inline constexpr size_t kMeasures = 52;
std::span<const Definition, kMeasures> definitions();
const Definition* find_definition(probe::Measure id);

// One reading a definition, in the same order.
using Readings = std::array<Reading, kMeasures>;

// Writes what could be assessed into a probe. A measure that could not is left out: a floor on it refuses.
void keep(const Readings& readings, probe::Contents& out);
// The same beside what is there.
void add(const Readings& readings, probe::Contents& out);

}  // namespace visage::quality
