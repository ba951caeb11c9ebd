// Who looks like a probe: where registrations that look for duplicates, and identifications, get candidates.
#pragma once

#include "core/base/bytes.h"
#include "pg/pg.h"

namespace visage::pg {

struct Flow;

struct Search {
  double fpir;     // of the search as a whole; each of n comparisons keeps an n-th of it
  int64 most;      // references that it may compare; where there are more it compares none
  bool originals;  // only references that have not expired and were not adapted
};

// Somebody whose reference scores against the probe.
struct Candidate {
  Uuid subject;
  double score;
};
inline constexpr int kMaxCandidates = 16;

struct Candidates {
  bool complete;      // every reference that was asked for was compared, or is too far away to be found
  uint64_t compared;  // references
  int count;
  Candidate best[kMaxCandidates];  // of different subjects, the highest score first
};

// The flow's probe against the references of its institution and the probe's model, as they are committed now
// or made by this transaction, whatever its snapshot. All that reach the threshold at fpir / compared are in
// it, as long as there is room, with their 1:1 scores. For use inside SPI. An exact scan of the table; a
// gallery takes its place.
void find_candidates(const Flow& flow, const Search& search, Candidates& out);

}  // namespace visage::pg
