// What an attacker can know about faces in general: mean and covariance of a model's features, measured on
// people of his own choice.
#pragma once

#include "protection_faces.h"

namespace visage::bench::protection {

struct Population {
  size_t dimension = 0;
  std::vector<double> mean;
  std::vector<double> variance;  // along each axis, falling
  std::vector<double> axes;      // row k: the unit vector of axis k
  double total_variance = 0;

  // Coordinates along the axes, and back; the mean is not touched.
  std::vector<double> to_axes(const std::vector<double>& values) const;
  std::vector<double> from_axes(const std::vector<double>& coordinates) const;
};

// Every person counts the same, however many pictures there are.
Population measure_population(const Faces& faces, const std::vector<std::vector<size_t>>& people);

}  // namespace visage::bench::protection
