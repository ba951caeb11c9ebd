// The comparison (T/IIFAA 3001.1 6.3a–c).
//
// Scores are estimates of the cosine of two features, in [-1, 1] up to the estimate's noise; thresholds come
// from visage.calibration, never from here.
#pragma once

#include "core/crypto/engine.h"
#include "core/keys/subject_key.h"
#include "core/probe/probe.h"
#include "core/reference/reference.h"

namespace visage::match {

// Scheme names as visage.calibration stores them.
inline constexpr std::string_view kSchemePlain = "plain";

// Of one model and feature length?
bool comparable(const probe::Contents& a, const probe::Contents& b);

struct Comparison {
  bool comparable;  // false: another model or feature length; never scored
  double score;     // valid when comparable
};

// A probe against one reference: open, derive, rotate, score. `subject_key` is unwrapped by the caller once
// for all references of the subject.
Status compare(crypto::Engine& engine, const keys::KeyRing& ring, const keys::Owner& owner,
               const keys::SubjectKey& subject_key, const reference::Stored& stored,
               const probe::Contents& probe, Comparison& out,
               const reference::Kernels& kernels = reference::best_kernels());

struct Best {
  uint32_t compared;  // references that were comparable
  uint32_t index;     // of the best one, valid when compared > 0
  double score;
};

// A probe against all live references of one subject; the best score counts (6.2f, 5.3.2). Any reference that
// does not open fails the whole call: a verdict is never given past a fault. `each`, where it is given, takes
// what became of every one and has room for all.
Status best_of(crypto::Engine& engine, const keys::KeyRing& ring, const keys::Owner& owner, Bytes wrapped_key,
               std::span<const reference::Stored> references, const probe::Contents& probe, Best& out,
               const reference::Kernels& kernels = reference::best_kernels(),
               std::span<Comparison> each = {});

// Two probes, in clear, for a person against a document (6.6f): the cosine. Not comparable across models.
Comparison compare_probes(const probe::Contents& a, const probe::Contents& b);

}  // namespace visage::match
