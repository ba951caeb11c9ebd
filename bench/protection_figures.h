// The questions of this benchmark; each prints its metrics and leaves what the plot draws.
#pragma once

#include <string>
#include <vector>

#include "protection_dsys.h"
#include "protection_report.h"
#include "protection_thresholds.h"

namespace visage::bench::protection {

struct Setting {
  Bank& bank;
  const Faces& faces;
  const Population& population;  // of the known half
  const Thresholds& thresholds;
  Random& random;
};

struct Bar {
  std::string level;
  size_t code_bits;
  double cosine;
};

struct Figures {
  Linkability secret, stolen;  // m = 1024: codes with the seeds secret, back-projections with them stolen
  double secret_null = 0;
  std::vector<Bar> cosines;
};

// ISO/IEC 24745 5.3 unlinkability: D_sys with its null, seeds secret and stolen.
void report_unlinkability(Setting& setting, Figures& figures);
// ISO/IEC 24745 renewability: the old reference against the new one.
void report_renewability(Setting& setting);
// ISO/IEC 24745 irreversibility: the feature out of what each theft takes, L0 to L3.
void report_irreversibility(Setting& setting, Figures& figures);
// L4: the feature out of the system's answers.
void report_oracle(Setting& setting);

}  // namespace visage::bench::protection
