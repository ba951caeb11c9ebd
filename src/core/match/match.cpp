#include "core/match/match.h"

#define EIGEN_NO_DEBUG  // its assertions would end the server; sizes are checked here
#include <Eigen/Core>
#include <cmath>
#include <numbers>

namespace visage::match {
namespace {

bool same_model(const reference::Header& header, const probe::Contents& probe) {
  return std::memcmp(probe.model_digest, header.model_digest, sizeof header.model_digest) == 0 &&
         header.dimension == probe.dimension;
}

}  // namespace

bool comparable(const probe::Contents& a, const probe::Contents& b) {
  return a.model_id() == b.model_id() && a.dimension == b.dimension;
}

Status compare(crypto::Engine& engine, const keys::KeyRing& ring, const keys::Owner& owner,
               const keys::SubjectKey& subject_key, const reference::Stored& stored,
               const probe::Contents& probe, Comparison& out, const reference::Kernels& kernels) {
  reference::Header header;
  Secret<reference::Opened> opened;
  VISAGE_TRY(reference::open(engine, ring, owner, subject_key, stored, header, opened.value));
  out = {same_model(header, probe), -1};
  if (!out.comparable) return {};

  // E[s] = cos·√(2/π) for random rotations, so √(π/2) makes the score an estimate of the cosine.
  out.score = reference::rotated_score(probe.feature, probe.dimension, header.code_bits, opened.value.masks,
                                       opened.value.code, kernels) *
              std::sqrt(std::numbers::pi / 2);
  return {};
}

Status best_of(crypto::Engine& engine, const keys::KeyRing& ring, const keys::Owner& owner, Bytes wrapped_key,
               std::span<const reference::Stored> references, const probe::Contents& probe, Best& out,
               const reference::Kernels& kernels, std::span<Comparison> each) {
  Secret<keys::SubjectKey> subject_key;
  VISAGE_TRY(keys::unwrap_subject_key(engine, ring, owner, wrapped_key, subject_key.value));
  out = {0, 0, -1};
  for (size_t i = 0; i < references.size(); ++i) {
    Comparison comparison;
    VISAGE_TRY(compare(engine, ring, owner, subject_key.value, references[i], probe, comparison, kernels));
    if (!each.empty()) each[i] = comparison;
    if (!comparison.comparable) continue;
    if (out.compared == 0 || comparison.score > out.score) {
      out.index = static_cast<uint32_t>(i);
      out.score = comparison.score;
    }
    ++out.compared;
  }
  return {};
}

Comparison compare_probes(const probe::Contents& a, const probe::Contents& b) {
  if (!comparable(a, b)) return {false, -1};
  const Eigen::Map<const Eigen::VectorXf> x(a.feature, a.dimension), y(b.feature, b.dimension);
  return {true, x.cast<double>().dot(y.cast<double>())};
}

}  // namespace visage::match
