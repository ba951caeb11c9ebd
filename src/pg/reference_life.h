// The life of references: until when they are compared, and how they are renewed.   [5.3.3, 6.2e]
#pragma once

#include "core/match/match.h"
#include "core/probe/floor.h"
#include "pg/pg.h"

namespace visage::pg {

struct Flow;
struct SubjectRecord;

inline constexpr int kMaxReferences = 32;
inline constexpr int kMaxAdaptationFloors = 8;

// What visage.adaptation_policy and visage.reference_lifetime say.
struct ReferenceRule {
  bool adapts;
  bool reprotects;
  bool rolls;  // into the open epoch of the model's gallery
  double fmr;
  double anchor_fmr;
  bool has_liveness_floor;
  float liveness_floor;
  int floor_count;
  probe::QualityFloor floors[kMaxAdaptationFloors];
  Interval period;
  bool expires;
  Interval expire_after;
};

// For use inside SPI.
void load_reference_rule(int32 institution, const text* channel, ReferenceRule& out);

// References that were made until then are compared no longer; DT_NOBEGIN where they do not expire.
TimestampTz expiry_cutoff(const ReferenceRule& rule);

// What became of each of the references that were compared, in the order of SubjectRecord.
struct Matches {
  int count;
  match::Comparison each[kMaxReferences];
};

// Instead of the best score where that is an adapted reference's: see deciding_score() in
// core/reference/life.h.
double anchored_score(const Flow& flow, const SubjectRecord& subject, const Matches& matches);

// After an accepted verification: makes a reference of its probe where policy asks for it and the guards of
// core/reference/life.h let it. The verdict is then recorded first, and stands whatever becomes of the rest.
void renew_references(Flow& flow, const SubjectRecord& subject, const Matches& matches);

}  // namespace visage::pg
