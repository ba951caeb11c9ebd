#include "accuracy_stage.h"

#include <algorithm>
#include <cstdio>

#include "accuracy_format.h"
#include "json_line.h"

namespace visage::bench {

void print_detection(const Dataset& dataset, const Features& features) {
  const size_t all = dataset.pictures().size();
  print_metric(
      "accuracy.detection_rate", static_cast<double>(features.found) / static_cast<double>(all), "ratio",
      ">= 0.995", static_cast<long long>(all),
      format("pictures in which a face was found, confirmed by the mesh and turned into a feature; %zu "
             "people",
             dataset.people())
          .c_str());
  for (size_t i = 0; i < all; ++i)
    if (features.contents[i].dimension == 0)
      std::fprintf(stderr, "no feature: %s\n", dataset.pictures()[i].name.c_str());
}

void print_timings(std::vector<capture::Timings> timings) {
  if (timings.size() < 100) return;
  const auto line = [&](const char* name, auto value) {
    std::vector<double> sorted;
    for (const capture::Timings& one : timings) sorted.push_back(value(one));
    std::sort(sorted.begin(), sorted.end());
    std::fprintf(stderr, "  %-9s median %6.2f ms, p99 %6.2f ms\n", name, sorted[sorted.size() / 2],
                 sorted[sorted.size() * 99 / 100]);
  };
  std::fprintf(stderr, "stages, %zu pictures:\n", timings.size());
  line("decode", [](const capture::Timings& t) { return t.decode; });
  line("detect", [](const capture::Timings& t) { return t.detect; });
  line("mesh", [](const capture::Timings& t) { return t.mesh; });
  line("align", [](const capture::Timings& t) { return t.align; });
  line("feature", [](const capture::Timings& t) { return t.feature; });
  line("liveness", [](const capture::Timings& t) { return t.liveness; });
  line("total", [](const capture::Timings& t) { return t.total(); });
}

}  // namespace visage::bench
