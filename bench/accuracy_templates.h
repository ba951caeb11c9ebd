// The comparisons that the database runs, each as one vector a picture: score = template · feature.
#pragma once

#include "accuracy_dataset.h"
#include "accuracy_features.h"
#include "accuracy_vectors.h"

namespace visage::bench {

// The features: a template of the plain comparison is the feature itself.
Vectors feature_vectors(const Features& features);

// RFR-1 in the stolen-token protocol. Every picture is a reference; a probe is rotated under the reference's
// own seed, as the server does it. With b the signs of the reference and R its rotation the score is
// b·Rx / (√m·‖Rx‖). R consists of whole orthogonal blocks (up to a factor), so ‖Rx‖ is a constant and the
// score is (Rᵀb)·x times another: Rᵀb is the template. Needs a block no wider than the code.
//
// The sign masks are keystreams of digests of the pictures' names, so that a run can be repeated; a shorter
// code is the beginning of a longer one, as it is in the product for one seed. Besides, each picture is made
// a real reference under random keys, sealed and opened again, and match::compare() of it with kChecks probes
// must agree with its template up to rounding. False when it does not.
inline constexpr size_t kChecks = 8;
bool make_templates(const Dataset& dataset, const Features& features, size_t code_bits, Vectors& out);

// For the two-factor protocol, in which an impostor brings his own token: the codes of all references, and
// every picture rotated under its own seed.
struct OwnSeeds {
  size_t code_bits = 0;
  std::vector<uint8_t> codes;  // code_bits / 8 bytes a picture
  std::vector<float> rotated;  // code_bits values a picture
};
bool rotate_under_own_seeds(const Dataset& dataset, const Features& features, size_t code_bits,
                            OwnSeeds& out);

}  // namespace visage::bench
