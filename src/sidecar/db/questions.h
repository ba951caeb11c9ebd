// What is asked of the database that is no flow: sessions, consents, and lists of what is stored.
//
// The database writes each answer as one JSON object, with the names that the HTTP API has.
#pragma once

#include <string>
#include <vector>

#include "sidecar/db/pool.h"

namespace visage::sidecar::db {

enum class Question {
  kOpenSession,      // subject (empty: none), purpose, scenario, channel, context
  kClaimSession,     // session, channel, context
  kReadSession,      // session; "seconds" that it has left are no part of the API
  kCandidates,       // session of an identification; {"candidates": [{"rank": 1, "subject": "alice"}]}
  kCloseSession,     // session
  kReadChallenge,    // session; {"challenge": "turn_left,nod"}
  kListFactors,      // subject
  kListReferences,   // subject
  kReadNotice,       // notice: the version in force
  kListConsents,     // subject
  kGiveConsent,      // subject, notice, digest in hexadecimal, purposes as a JSON array, under_14, channel,
                     // guardian and guardian_relation (empty: none)
  kWithdrawConsent,  // subject, purpose (empty: all), channel
  kOpenPage,         // session; "opened" is true once
  kPageSession,      // session
  kCaptureDemands,   // session; {"challenge": ["turn_left", …], "demands": ["LivenessChallenge", …]}
  kPhotoSession,     // session; what an ID photo for it must know, with the seconds that it has left
  kRequireDocument,  // session; "required" is false when it is over
  kRecordIdentity,   // subject, authority, accepted, fields as a JSON array, comparison (empty: none),
                     // reference, digest of the answer and of the fields in hexadecimal
};

// `found` is false when the database has no row to answer with. Arguments are in the order above.
Trouble ask(Pool& pool, Question question, const std::vector<std::string>& arguments, bool& found,
            std::string& json);

}  // namespace visage::sidecar::db
