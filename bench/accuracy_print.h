// Rates as JSON lines. What the sample does not support is printed as a bound, under a name that ends in
// _bound, and never as a rate.
#pragma once

#include <string>
#include <vector>

#include "accuracy_rates.h"

namespace visage::bench {

struct Far {
  double rate;
  const char* name;  // in names of metrics
};
// Ascending; those of visage.calibration and one below.
inline constexpr Far kFars[] = {
    {1e-6, "1e-6"}, {2e-6, "2e-6"}, {1e-5, "1e-5"}, {1e-4, "1e-4"}, {1e-3, "1e-3"}};

struct Printed {
  std::string kind = {};    // accuracy.frr_<kind>_at_far_<F>
  std::string note = {};    // what is particular, after the sizes; may be empty
  std::string target = {};  // for FAR 1e-5; may be empty
  double lowest = 0;        // FARs below are left out
  bool thresholds = true;
};
// Prints all, and gives them back.
std::vector<Rate> print_rates(const Printed& what, const Scores& scores);

// "… of … genuine attempts rejected, …; 95 % bootstrap over … people, … rounds: … to …"
std::string sizes_of(const Scores& scores, const Rate& rate);

}  // namespace visage::bench
