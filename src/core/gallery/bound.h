// How far away may the code of a person be whom the 1:1 comparison would accept?
//
// A search must offer every reference whose own score would reach the threshold τ. Both the score and the
// Hamming distance D estimate the same cosine c, each under a rotation of its own, so for a given c they are
// independent:
//   score  normal, mean c, variance at most (π/2 − c²)/m: that of independent coordinates, where those of a
//          rotation's block vary less (tests/unit/core/match_score_test.cpp).
//   D      binomial: each of 1024 bits differs with probability arccos(c)/π.
// Nobody knows c. A reference is missed where its score reaches τ and D is above the bound, so the bound is
// the smallest d for which the largest product of the two over all c is at most `miss`.
#pragma once

#include <cstddef>
#include <cstdint>

namespace visage::gallery {

// Probability, at most, that the score of a reference of `code_bits` bits reaches τ, of a person at a cosine
// below τ.
double chance_of_score(double cosine, double threshold, size_t code_bits);

// The largest distance that must be looked at. `miss` is in (0, 1): the probability, whatever the cosine,
// that a reference which would be accepted is farther away. kCodeBits, everybody, where no smaller one will
// do.
uint32_t distance_bound(double threshold, size_t code_bits, double miss);

}  // namespace visage::gallery
