// One JSON object a line on stdout: the form of every figure of the project. See bench/README.md.
#pragma once

#include <cstdio>

namespace visage::bench {

// `target` as "<= 0.01", or empty when there is none; `note` says sizes and circumstances. Neither may hold a
// quote.
inline void print_metric(const char* metric, double value, const char* unit, const char* target, long long n,
                         const char* note) {
  std::printf(
      "{\"metric\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", \"target\": \"%s\", \"n\": %lld, \"note\": "
      "\"%s\"}\n",
      metric, value, unit, target, n, note);
  std::fflush(stdout);
}

}  // namespace visage::bench
