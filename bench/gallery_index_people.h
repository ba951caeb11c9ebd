// Codes of made people whose features are spread as real ones are: mean, and covariances between people and
// between captures of one person, are measured on real features.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/gallery/search.h"

namespace visage::bench {

struct Crowd {
  std::vector<uint64_t> enrolled;   // one capture each
  std::vector<uint64_t> mated;      // another capture of person i * step
  std::vector<uint64_t> strangers;  // of people who are not enrolled
  size_t step;
  double mated_cosine, real_mated_cosine;  // means over pairs of one person: of these, and of the real ones
  double stranger_spread, real_stranger_spread;  // standard deviation of the cosines of strangers
};

// False when <data>/lfw-half-sface.f32 is not there.
bool make_crowd(const std::string& data, size_t enrolled, size_t probes, Crowd& out);

}  // namespace visage::bench
