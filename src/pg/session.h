// Sessions: one call of one flow, bound to a subject, channel and device, with the factors that were shown.
//
// A row of visage.session is written once, by whoever opens it (and once more by a device that claims it).
// What became of a session is in the ledger: its events name it, and one of them used it up. The ledger is
// written whatever becomes of the caller's transaction, so no ROLLBACK gives a session or a factor back;
// memory that all backends share keeps two calls from using one session meanwhile.
#pragma once

#include "pg/flow.h"

namespace visage::pg {

inline constexpr int kSessionNonceSize = 32;

struct SessionRow {
  Uuid id;
  int32 institution;
  audit::Operation purpose;
  text* scenario;
  text* channel;
  bool cross_channel;  // opened on another
  bool announced;  // somebody else waits for what becomes of it: another channel, or who gave out its page
  bool document_required;  // by a registration
  bool claimed;
  bool has_subject_hash;
  AttemptTarget subject;  // whose counter is the subject's
  bool has_subject;
  Uuid surrogate;
  bool has_device;
  uint8_t device[keys::kKeyedHashSize];
  uint8_t nonce[kSessionNonceSize];
  int factors;  // to be presented
  char* challenge;
  TimestampTz opened_at;
  TimestampTz expires_at;
  // From the ledger, as it is now.
  bool used;
  int presented;         // different factors
  bool face_presented;   // one of them
  TimestampTz shown_at;  // when as many as `factors` had been; 0 when fewer were
};

// As of now. For use inside SPI. False when the institution has no such session.
bool find_session(const Uuid& id, int32 institution, SessionRow& out);

// check_denied() for a call in the session, about its subject.
bool check_denied_in(Flow& flow, const SessionRow& row);

// The session that a function's argument names, of the institution that the caller acts for; raises when
// there is none. Not for use inside SPI.
void session_argument(FunctionCallInfo fcinfo, int index, SessionRow& out);

// Which flows a session can be for.
bool opens_session(audit::Operation purpose);
// Is it about a subject that the caller names?
bool names_subject(audit::Operation purpose);
// Does the flow itself compare the subject's face? Then that is one of the factors that are required.
bool compares_face(audit::Operation purpose);

// Tells who listens on visage_session, once the caller's transaction commits.
void announce_session(const SessionRow& row, const char* state);

}  // namespace visage::pg
