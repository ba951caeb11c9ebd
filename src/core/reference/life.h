// The life of a reference: may it be renewed from the probe of an accepted verification?   [6.2e]
//
// A stored reference holds no feature, so there is nothing to average a new capture into. A reference is
// renewed by making another from that capture. Two ways lead there, and both are guarded against whoever
// would walk a subject's references, verification by verification, to a face of their own:
//   adapt      one adapted reference a subject, beside the originals, which stay for ever. The capture must
//              reach a stricter threshold than the verification and, against an original, the anchor's. So
//              must every capture that is later accepted by the adapted reference: without that, an adapted
//              reference half way to another face would accept that face.
//   reprotect  an original is made anew under the newest transform root, or into the open epoch of its
//              gallery. The capture must reach the stricter threshold against that very original, and this
//              happens once a root or epoch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace visage::reference {

struct Compared {
  bool comparable;
  bool adapted;
  bool outdated;    // its transform root is not the newest, or its code is not of the open epoch
  double score;     // valid when comparable
  int64_t made_at;  // any clock, the guards' too
};

struct Guards {
  bool adapts;
  bool reprotects;
  bool reaches_floors;  // those of liveness and quality that are stricter than the channel's
  // Without a measured threshold nothing is renewed.
  bool has_strict;
  double strict;
  bool has_anchor;
  double anchor;
  int64_t adapted_before;  // an adapted reference that is younger stays as it is
};

enum class Renewal : uint8_t { kNone, kAdapt, kReprotect };

struct Plan {
  Renewal what;
  size_t anchor;     // the original that the capture was held against
  bool has_adapted;  // kAdapt: that one is replaced
  size_t adapted;
};
// The score that a verification decides by: the best one, but that of an adapted reference only where an
// original reaches the anchor; else the best original's. -1 without any.
double deciding_score(std::span<const Compared> references, bool has_anchor, double anchor);

Plan plan_renewal(std::span<const Compared> references, const Guards& guards);

}  // namespace visage::reference
