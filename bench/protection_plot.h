// One picture of the benchmark, as SVG.
#pragma once

#include <string>

#include "protection_figures.h"

namespace visage::bench::protection {

bool write_plot(const std::string& path, const Figures& figures, const std::string& caption);

}  // namespace visage::bench::protection
