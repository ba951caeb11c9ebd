// A subject's row, key and references, as flows need them.
#pragma once

#include "core/keys/subject_key.h"
#include "core/match/match.h"
#include "pg/authority.h"
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

// Loads a subject by external id and names it in the flow, so that the event does whatever is decided; for
// use inside SPI. `lock` takes the row until the transaction ends, so that two changes of one subject follow
// each other.
void load_subject(Flow& flow, const text* subject, bool lock, SubjectRecord& out);

// Where a reference comes from, as visage.subject_reference.origin has it.
inline constexpr char kCapture[] = "capture", kAuthority[] = "authority", kImported[] = "import";

// Makes the subject, its key and a reference of the flow's probe; accepts, or refuses as SUBJECT_EXISTS. All
// checks were made before.
void register_subject(Flow& flow, const text* subject, const AuthorityRecord& authority, const char* origin);

// Scores the flow's probe against the subject's references, sets decision and reason. For an unknown subject
// it does the same work on a decoy, so that neither time nor shape tells who is registered. Returns true on
// accept.
bool match_subject(Flow& flow, const SubjectRecord& subject);

}  // namespace visage::pg
