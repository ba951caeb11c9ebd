// Features of real people, split into those whom the attacker knows and those who are attacked.
#pragma once

#include <string>
#include <vector>

#include "core/probe/probe.h"
#include "protection_random.h"

namespace visage::bench::protection {

struct Face {
  probe::Contents contents;
  size_t person;
};

struct Faces {
  std::string source;  // what made the features
  size_t dimension = 0;
  std::vector<Face> all;
  // Indices into `all`, one list a person; by a random half of the people each. Statistics of the population
  // and thresholds come from the first, everything that is attacked from the second.
  std::vector<std::vector<size_t>> known, attacked;

  const probe::Contents& contents(size_t face) const { return all[face].contents; }
  const float* feature(size_t face) const { return all[face].contents.feature; }
};

// Indices of all faces of `people`, in order.
std::vector<size_t> faces_of(const std::vector<std::vector<size_t>>& people);

enum class Loading { kDone, kNoData, kFailed };

// The product's own features of <data>/lfw-half.tar, remembered by make bench-accuracy; without the pictures
// or the models, the ready features of <data>/lfw-half-sface.f32.
Loading load_faces(const std::string& data, const std::string& models, Random& random, Faces& out);

}  // namespace visage::bench::protection
