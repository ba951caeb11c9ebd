// A subject's row, key and references, as flows need them.
#pragma once

#include "core/keys/subject_key.h"
#include "core/match/match.h"
#include "pg/flow.h"

namespace visage::pg {

inline constexpr int kMaxReferences = 32;

struct SubjectRecord {
  bool found;
  keys::Owner owner;
  Bytes wrapped_key;  // these live as long as the SPI connection
  int reference_count;
  reference::Stored references[kMaxReferences];
};

// The surrogate of a registered subject; false, after as much work, when there is none. For use inside SPI.
bool find_registered(int32 institution, const text* subject, Uuid& out);

// The wrapped key of a subject; false when there is none. For use inside SPI.
bool find_subject_key(Snapshot snapshot, const Uuid& subject, Bytes& wrapped);

// Loads a subject by external id and names it in the flow, so that the event does whatever is decided; for
// use inside SPI. `lock` takes the row until the transaction ends, so that two changes of one subject follow
// each other.
void load_subject(Flow& flow, const text* subject, bool lock, SubjectRecord& out);

// Scores the flow's probe against the subject's references, sets decision and reason. For an unknown subject
// it does the same work on a decoy, so that neither time nor shape tells who is registered. Returns true on
// accept.
bool match_subject(Flow& flow, const SubjectRecord& subject);

}  // namespace visage::pg
