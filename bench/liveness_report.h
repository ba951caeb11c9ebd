// What is told of many sheets.
#pragma once

#include <span>

#include "liveness_sheet.h"

namespace visage::bench {

struct Row {
  std::string metric;
  const char* target;
  const char* by;
};

// One JSON line a row; rows without a presentation are left out.
void report(std::span<const Sheet> sheets, std::span<const Row> rows);
// Errors of n of every metric so far, in one line on stderr.
void report_so_far(std::span<const Sheet> sheets);
// Each number's least, 1, 50, 99 % and most, on stderr.
void print_spread(std::span<const Sheet> sheets);

}  // namespace visage::bench
