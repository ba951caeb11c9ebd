// Linkage functions: one number for two references, by which an attacker guesses whether they are of one
// person.
#pragma once

#include "protection_bank.h"

namespace visage::bench::protection {

// Normalised Hamming distance of two strings of bytes of one size.
double hamming(Bytes a, Bytes b);

// ±1 for each bit of a code, and its Walsh–Hadamard transform block by block.
struct Spectrum {
  std::vector<float> signs, transformed;
};
Spectrum spectrum_of(Bytes code, size_t width);

// The best linear combination of everything two codes may have in common that does not need the rotation:
// agreement at each position, in each pair of blocks, and of positions whose numbers differ by each XOR k
// (the symmetry of the Walsh–Hadamard network). Learned from labelled pairs as the difference of the means
// over the variances: Fisher's discriminant for terms that do not hang together, which they do not for codes
// that look random.
class Learned {
 public:
  Learned(size_t width, size_t code_bits) : width_(width), code_bits_(code_bits) {}

  void teach(const Spectrum& a, const Spectrum& b, bool mated);
  void finish();
  double score(const Spectrum& a, const Spectrum& b) const;
  size_t terms() const;

 private:
  void terms_of(const Spectrum& a, const Spectrum& b, std::vector<float>& out) const;

  size_t width_, code_bits_;
  std::vector<double> sum_[2], square_;
  size_t count_[2] = {};
  std::vector<double> weights_;
};

}  // namespace visage::bench::protection
