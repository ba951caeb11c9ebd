// A subject's row, key and references, as flows need them.
#pragma once

#include "core/keys/subject_key.h"
#include "core/match/match.h"
#include "pg/authority.h"
#include "pg/flow.h"

namespace visage::pg {

// What a reference's row says beside what is needed to open it.
struct ReferenceRow {
  bool adapted;
  uint32_t transform_version;
  TimestampTz created_at;
};

struct SubjectRecord {
  bool found;
  keys::Owner owner;
  Bytes wrapped_key;    // these live as long as the SPI connection
  int reference_count;  // of all; none where they were revoked
  int live_count;       // of those that have not expired; they come first
  reference::Stored references[kMaxReferences];
  ReferenceRow rows[kMaxReferences];
};

// The surrogate of a registered subject; false, after as much work, when there is none. For use inside SPI.
bool find_registered(int32 institution, const text* subject, Uuid& out);

// The wrapped key of a subject; false when there is none. For use inside SPI.
bool find_subject_key(Snapshot snapshot, const Uuid& subject, Bytes& wrapped);

// Loads a subject by external id and names it in the flow, so that the event does whatever is decided; for
// use inside SPI. `lock` takes the row until the transaction ends, so that two changes of one subject follow
// each other.
void load_subject(Flow& flow, const text* subject, bool lock, SubjectRecord& out);

// Makes the subject, its key and a reference of the flow's probe; accepts, or refuses as SUBJECT_EXISTS. All
// checks were made before.
void register_subject(Flow& flow, const text* subject, const AuthorityRecord& authority, const char* origin);

// Scores the flow's probe against the subject's references, sets decision and reason. For an unknown subject
// it does the same work on a decoy, so that neither time nor shape tells who is registered. Returns true on
// accept. References that have expired are not compared unless `expired_too`.
bool match_subject(Flow& flow, const SubjectRecord& subject, bool expired_too = false,
                   Matches* matches = nullptr);

}  // namespace visage::pg
