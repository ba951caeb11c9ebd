// The attacker's side: features out of sign codes.
#pragma once

#include <span>

#include "core/reference/reference.h"
#include "protection_population.h"

namespace visage::bench::protection {

using Feature = std::vector<double>;

// A code with the masks that it is believed to have been made with.
struct Stolen {
  const reference::Opened* opened;
  size_t code_bits;
};

// One reference, or several of one person, rotated back: the sum over the code's bits of ±(the direction that
// the bit is the sign of). Not of unit length: its product with a unit probe is the score up to a factor.
Feature back_project(std::span<const Stolen> stolen, size_t dimension);

// √(π/2) / √(m·blocks): from that product to the estimated cosine that the database computes.
double product_to_score(size_t dimension, size_t code_bits);

// The expected feature given all signs, for Gaussian features with the population's mean and covariance.
// Least squares that know of the signs: each step estimates the lost magnitudes from the present guess,
// solves the least squares with the population's covariance as the regulariser, and takes out what it has fed
// in itself (expectation propagation with one variance for all bits: Schniter, Rangan and Fletcher, "Vector
// approximate message passing for the generalized linear model", 2016).
Feature expected_feature(std::span<const Stolen> stolen, const Population& population);

double cosine(const Feature& a, const float* b);
double cosine(const Feature& a, const Feature& b);
void add_unit(Feature& sum, const Feature& more);  // sum += more/‖more‖

// A face that was never captured, as a probe; the model is that of `like`.
probe::Contents probe_of(const Feature& feature, const probe::Contents& like);

}  // namespace visage::bench::protection
